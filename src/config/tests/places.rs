//! Where the state and the images are.

use super::*;

#[test]
fn a_state_is_local_or_at_a_place_of_s3() {
    let place = |text: &str| {
        let config = Config::parse("f", &format!("state = {text:?}"), Overrides::default());
        let config = config.map_err(|e| e.to_string())?;
        let shared = config.shared_state();
        Ok(shared.map(|(bucket, prefix)| (bucket.to_owned(), prefix.to_owned())))
    };
    let at = |bucket: &str, prefix: &str| Ok(Some((bucket.to_owned(), prefix.to_owned())));
    assert_eq!(place("local"), Ok(None));
    assert_eq!(place("s3://team-states"), at("team-states", ""));
    assert_eq!(place("s3://team-states/"), at("team-states", ""));
    assert_eq!(place("s3://states/a/b_c/"), at("states", "a/b_c"));
    for wrong in [
        "",
        "s3://",
        "s3://ab",
        "s3://Team",
        "s3://a.b.c",
        "s3://-abc",
        "s3://states//x",
        "s3://states/../x",
        "s3://states/a b",
        "s3://states/{x}",
        "https://states/x",
        "state",
    ] {
        let error: String = place(wrong).unwrap_err();
        assert!(error.contains("s3://BUCKET/PREFIX"), "{wrong}: {error}");
    }
}

#[test]
fn an_image_elsewhere_is_one_of_ecr_in_this_region() {
    let digest = "a".repeat(64);
    let parse = |uri: &str| {
        let text = format!("[services.images]\nreporting = \"{uri}\"\n");
        Config::parse("deployer.toml", &text, Overrides::default())
    };
    let ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/reporting";
    for good in [format!("{ecr}:1.0"), format!("{ecr}@sha256:{digest}")] {
        let config = parse(&good).unwrap();
        assert_eq!(config.services.images["reporting"], good);
    }
    for bad in [
        "docker.io/library/nginx:1".to_owned(),
        "public.ecr.aws/nginx/nginx:1".to_owned(),
        ecr.to_owned(),
        format!("{ecr}@sha256:abc"),
        format!("{ecr}:1.0").replace("eu-central-1", "us-east-1"),
    ] {
        let error = parse(&bad).unwrap_err().to_string();
        assert!(error.contains("`services.images`"), "{error}");
    }
    let registry = ecr.trim_end_matches("team/reporting");
    let long = "a".repeat(257);
    for name in ["x", "Team/a", "team//a", "-team", "team_", long.as_str()] {
        for reference in [":1".to_owned(), format!("@sha256:{digest}")] {
            let error = parse(&format!("{registry}{name}{reference}")).unwrap_err();
            let said = format!(
                "deployer.toml:2: `services.images` is refused (`reporting` is in the repository `{name}`; ECR's have names of 2 to 256 lower-case letters"
            );
            assert!(error.to_string().starts_with(&said), "{error}");
        }
    }
    assert!(parse(&format!("{registry}ab:1")).is_ok());
    let text = format!("[services.images]\nother = \"{ecr}:1\"\n");
    let error = Config::parse("deployer.toml", &text, Overrides::default());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("no service `other`")
    );
}
