//! What each amount and price of the cost estimate takes and refuses.

use super::values::Row;

pub const AMOUNTS: &[Row] = &[
    (
        "cost.payments_per_day",
        &["0", "1.5", "1000000000"],
        &["-1", "1000000001", "\"1\"", "nan"],
    ),
    (
        "cost.requests_per_payment",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.request_kb",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.log_kb_per_payment",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.writer_acu",
        &["0", "1.5", "256"],
        &["-1", "257", "\"1\"", "nan"],
    ),
    (
        "cost.reader_acu",
        &["0", "1.5", "256"],
        &["-1", "257", "\"1\"", "nan"],
    ),
    (
        "cost.other_acu",
        &["0", "1.5", "256"],
        &["-1", "257", "\"1\"", "nan"],
    ),
    (
        "cost.database_gb",
        &["0", "1.5", "131072"],
        &["-1", "131073", "\"1\"", "nan"],
    ),
    (
        "cost.database_changed_gb_per_day",
        &["0", "1.5", "131072"],
        &["-1", "131073", "\"1\"", "nan"],
    ),
    (
        "cost.database_io_per_payment",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.database_mb_per_payment",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.table_writes_per_payment",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.table_reads_per_payment",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.tables_gb",
        &["0", "1.5", "1000000"],
        &["-1", "1000001", "\"1\"", "nan"],
    ),
    (
        "cost.objects_per_day",
        &["0", "1.5", "1000000000"],
        &["-1", "1000000001", "\"1\"", "nan"],
    ),
    (
        "cost.bucket_gb",
        &["0", "1.5", "1000000000"],
        &["-1", "1000000001", "\"1\"", "nan"],
    ),
    (
        "cost.archive_gb",
        &["0", "1.5", "1000000000"],
        &["-1", "1000000001", "\"1\"", "nan"],
    ),
    (
        "prices",
        &["{}", "{ alb_hour = 0.02, kms_key_month = 1 }"],
        &[
            "{ alb = 1 }",
            "{ alb_hour = -1 }",
            "{ alb_hour = \"1\" }",
            "1",
        ],
    ),
];
