//! A minimal HTTP client for the sandbox's control path: one request per connection, JSON both ways.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The control path answers from memory, but a busy machine may take its time; a port that nobody listens on refuses at once.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request to the loopback port. `None` when nobody answers, or not with JSON; else the status and the body.
pub(super) async fn request(
    port: u16,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<(u16, Value)> {
    tokio::time::timeout(TIMEOUT, exchange(port, method, path, body))
        .await
        .ok()?
}

async fn exchange(
    port: u16,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    parse(&String::from_utf8_lossy(&answer))
}

fn parse(answer: &str) -> Option<(u16, Value)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_answer_is_status_and_json() {
        let (status, body) =
            parse("HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"x\": 1}\n").unwrap_or_default();
        assert_eq!((status, body["x"].as_u64()), (200, Some(1)));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", "HTTP/1.0 200 OK\r\n\r\n<html>", "SSH-2.0-x\r\n\r\n{}"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
