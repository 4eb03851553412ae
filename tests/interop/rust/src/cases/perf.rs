//! The perf protocol, a run for each direction.

use anyhow::Result;
use serde_json::{json, Value};

use super::Target;
use crate::perf;

pub async fn run(target: Target, upload: u64, download: u64) -> Result<Value> {
    let (mut host, mut peer) = target.connect().await?;
    let (mut upload_seconds, mut download_seconds) = (0.0, 0.0);
    if upload > 0 {
        upload_seconds = host.during(perf::run(&mut peer, upload, 0)).await?.as_secs_f64();
    }
    if download > 0 {
        download_seconds = host.during(perf::run(&mut peer, 0, download)).await?.as_secs_f64();
    }
    Ok(json!({
        "upload_bytes": upload,
        "upload_seconds": upload_seconds,
        "download_bytes": download,
        "download_seconds": download_seconds,
    }))
}
