//! An alert to a webhook: one HTTP/1.1 POST of the CloudEvent in structured mode.
//!
//! No TLS here: the only TLS library of this program belongs to the Kafka client. So the address is
//! on this machine, where a relay or proxy takes the alert on to its receiver over TLS; any other
//! one needs a plain yes in the configuration. Every step has one deadline together.

use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::Sent;
use super::memory::Alert;
use crate::exit::Problem;

/// The `[alerts.webhook]` table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// `http://127.0.0.1:8080/pec`.
    url: String,
    timeout_seconds: Option<u64>,
    /// Needed for an address beyond this machine: alerts travel unencrypted.
    allow_remote: Option<bool>,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub struct Webhook {
    host: String,
    port: u16,
    path: String,
    timeout: Duration,
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

impl Webhook {
    pub fn check(written: &Written) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::usage(format!("alerts.webhook.url {what}"));
        let relay =
            "give the address of a relay on this machine, for example http://127.0.0.1:8080/pec; the relay speaks TLS";
        let uri: Uri = written.url.parse().map_err(|_| wrong("is no URL").hint(relay))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("must begin with http://: pec itself speaks no TLS to webhooks").hint(relay));
        }
        let host = uri.host().ok_or_else(|| wrong("names no host").hint(relay))?.trim_matches(['[', ']']).to_owned();
        let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !loopback && written.allow_remote != Some(true) {
            return Err(wrong("leads to another machine, over which alerts would travel unencrypted")
                .hint("use a relay on this machine, or set alerts.webhook.allow_remote = true"));
        }
        let timeout = written.timeout_seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
        if timeout.is_zero() || timeout > Duration::from_secs(60) {
            return Err(Problem::usage("alerts.webhook.timeout_seconds must be 1 to 60"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port: uri.port_u16().unwrap_or(80), path, timeout })
    }
}

/// Posts one alert and says what came of it.
pub(super) fn post(webhook: &Webhook, alert: &Alert) -> Sent {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Sent::Again(error.to_string()),
    };
    let exchange = async { tokio::time::timeout(webhook.timeout, exchange(webhook, alert)).await };
    let outcome = match runtime.block_on(exchange) {
        Ok(Ok(status)) if status.is_success() => Sent::Taken,
        Ok(Ok(status)) if comes_back(status) => Sent::Again(format!("the receiver answered {status}")),
        Ok(Ok(status)) => Sent::Refused(format!("the receiver answered {status}")),
        Ok(Err(error)) => Sent::Again(format!("{}:{}: {error}", webhook.host, webhook.port)),
        Err(_) => Sent::Again(format!("no answer within {} s", webhook.timeout.as_secs())),
    };
    runtime.shutdown_background();
    outcome
}

/// Whether the same request may be answered otherwise later.
fn comes_back(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT
}

async fn exchange(webhook: &Webhook, alert: &Alert) -> anyhow::Result<StatusCode> {
    let stream = tokio::net::TcpStream::connect((webhook.host.as_str(), webhook.port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "while a webhook answered");
        }
    });
    let request = Request::post(&webhook.path)
        .header(HOST, format!("{}:{}", webhook.host, webhook.port))
        .header(CONTENT_TYPE, "application/cloudevents+json; charset=UTF-8")
        .body(alert.event.clone())?;
    Ok(sender.send_request(request).await?.status())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, allow_remote: Option<bool>) -> Result<Webhook, Problem> {
        Webhook::check(&Written { url: url.to_owned(), timeout_seconds: None, allow_remote })
    }

    #[test]
    fn only_this_machine_is_told_unencrypted() {
        let webhook = check("http://127.0.0.1:8080/pec?x=1", None).unwrap();
        assert_eq!((webhook.port, webhook.path.as_str()), (8080, "/pec?x=1"));
        assert_eq!(check("http://[::1]/", None).unwrap().host, "::1");
        assert!(check("https://example.com/", Some(true)).unwrap_err().what.contains("no TLS"));
        assert!(check("http://example.com/", None).unwrap_err().what.contains("unencrypted"));
        assert!(check("http://example.com/", Some(true)).is_ok());
        assert!(check("nonsense", None).is_err());
    }
}
