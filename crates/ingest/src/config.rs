//! What an operator says about Kafka: the `[kafka]` table of the configuration.
//!
//! Every key has a default except the brokers. Unknown keys are refused, and so are librdkafka
//! properties that this crate relies on: a setting that silently loses events is no setting.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::entry::Stream;
use serde::Deserialize;

use crate::fault::Fault;

/// The `[kafka]` table.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `host:port`, several with commas.
    pub bootstrap_servers: String,
    /// Under which durable offsets are committed, as information for lag tools.
    #[serde(default = "default_group")]
    pub group_id: String,
    #[serde(default)]
    pub topics: Topics,
    #[serde(default)]
    pub security: Security,
    /// Any other librdkafka property, as its documentation names it.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

fn default_group() -> String {
    "pec".to_owned()
}

/// Which topic carries which stream. An empty name: this stream does not come from Kafka.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Topics {
    pub usage: String,
    pub access: String,
    pub commerce: String,
    pub reference: String,
    /// Where what is decided here is published. Empty: nowhere, and then Kafka alone cannot bring
    /// issued documents back.
    pub decisions: String,
    /// Where leaks are told (`leak opened`, `leak cleared`). Empty: nowhere. Never read.
    pub alerts: String,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            usage: "pec.usage.v1".to_owned(),
            access: "pec.access.v1".to_owned(),
            commerce: "pec.commerce.v1".to_owned(),
            reference: "pec.reference.v1".to_owned(),
            decisions: String::new(),
            alerts: String::new(),
        }
    }
}

impl Topics {
    /// The topic of a stream; `None` where none is configured.
    #[must_use]
    pub fn of(&self, stream: Stream) -> Option<&str> {
        let name = match stream {
            Stream::Usage => &self.usage,
            Stream::Access => &self.access,
            Stream::Commerce => &self.commerce,
            Stream::Reference => &self.reference,
            Stream::Decisions => &self.decisions,
        };
        (!name.is_empty()).then_some(name.as_str())
    }

    /// The topics that are read into the journal. Decisions are written, not read: they were born
    /// in the journal.
    pub fn read(&self) -> impl Iterator<Item = (Stream, &str)> {
        [Stream::Usage, Stream::Access, Stream::Commerce, Stream::Reference]
            .into_iter()
            .filter_map(|stream| self.of(stream).map(|topic| (stream, topic)))
    }
}

/// How the brokers know us and we know them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    pub protocol: Protocol,
    /// PEM file of the authorities to trust; absent: those of the system.
    pub ca_file: Option<PathBuf>,
    pub sasl_mechanism: Option<Mechanism>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Read once at start; surrounding white space is cut.
    pub password_file: Option<PathBuf>,
    /// Name of an environment variable.
    pub password_env: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    pub(crate) fn encrypted(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    pub(crate) fn authenticated(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Mechanism {
    #[serde(rename = "PLAIN")]
    Plain,
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl Mechanism {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Text that must not appear in logs.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"…\"")
    }
}

impl Config {
    /// A plain cluster with every default.
    #[must_use]
    pub fn plain(bootstrap_servers: &str) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.to_owned(),
            group_id: default_group(),
            topics: Topics::default(),
            security: Security::default(),
            properties: BTreeMap::new(),
        }
    }

    /// Says everything that is wrong before a broker is asked.
    pub fn validate(&self) -> Result<(), Fault> {
        let refuse = |what: String| Err(Fault::Configuration(what));
        if self.bootstrap_servers.trim().is_empty() {
            return refuse("bootstrap_servers is empty".to_owned());
        }
        if self.group_id.is_empty() || self.group_id.len() > 256 {
            return refuse("group_id must have 1 to 256 characters".to_owned());
        }
        let mut seen = BTreeMap::new();
        let alerts = Some(self.topics.alerts.as_str()).filter(|topic| !topic.is_empty());
        let streams = Stream::ALL.into_iter().map(|stream| (stream.name(), self.topics.of(stream)));
        for (stream, topic) in streams.chain([("alerts", alerts)]) {
            let Some(topic) = topic else { continue };
            if topic.len() > 249 || !topic.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
                return refuse(format!("topics.{stream}: {topic:?} is not a topic name"));
            }
            if let Some(other) = seen.insert(topic, stream) {
                return refuse(format!("{topic:?} cannot carry both {other} and {stream}"));
            }
        }
        if let Some(name) = self.properties.keys().find(|name| crate::settings::relied_on(name)) {
            return refuse(format!("properties.{name:?} is set by pec itself and cannot be changed"));
        }
        self.security.validate()
    }
}

impl Security {
    fn validate(&self) -> Result<(), Fault> {
        let refuse = |what: &str| Err(Fault::Configuration(format!("security: {what}")));
        let passwords = [self.password.is_some(), self.password_file.is_some(), self.password_env.is_some()];
        let given = passwords.into_iter().filter(|given| *given).count();
        if self.protocol.authenticated() {
            if self.sasl_mechanism.is_none() || self.username.is_none() {
                return refuse("a sasl protocol needs sasl_mechanism and username");
            }
            if given != 1 {
                return refuse("give exactly one of password, password_file and password_env");
            }
        } else if self.sasl_mechanism.is_some() || self.username.is_some() || given > 0 {
            return refuse("user, password and mechanism need protocol sasl_ssl or sasl_plaintext");
        }
        if self.ca_file.is_some() && !self.protocol.encrypted() {
            return refuse("ca_file needs protocol ssl or sasl_ssl");
        }
        Ok(())
    }

    /// The password, from wherever it was said to be.
    pub(crate) fn password(&self) -> Result<Option<Secret>, Fault> {
        if let Some(file) = &self.password_file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                Fault::Configuration(format!("security.password_file {} cannot be read: {error}", file.display()))
            })?;
            return Ok(Some(Secret(text.trim().to_owned())));
        }
        if let Some(name) = &self.password_env {
            let text = std::env::var(name).map_err(|error| {
                Fault::Configuration(format!("security.password_env: variable {name} cannot be used: {error}"))
            })?;
            return Ok(Some(Secret(text)));
        }
        Ok(self.password.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Config, String> {
        let config: Config = serde_json::from_str(json).map_err(|error| error.to_string())?;
        config.validate().map_err(|fault| fault.to_string())?;
        Ok(config)
    }

    #[test]
    fn brokers_alone_are_enough() {
        let config = parse(r#"{"bootstrap_servers": "localhost:9092"}"#).unwrap();
        assert_eq!(config, Config::plain("localhost:9092"));
        assert_eq!(config.topics.of(Stream::Usage), Some("pec.usage.v1"));
        assert_eq!(config.topics.of(Stream::Decisions), None);
        assert_eq!(config.topics.read().count(), 4);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (json, expected) in [
            (r#"{"bootstrap_servers": " "}"#, "bootstrap_servers"),
            (r#"{"bootstrap_servers": "b", "bootstrap": "b"}"#, "unknown field"),
            (r#"{"bootstrap_servers": "b", "topics": {"usage": "a b"}}"#, "not a topic name"),
            (r#"{"bootstrap_servers": "b", "topics": {"usage": "x", "access": "x"}}"#, "cannot carry both"),
            (r#"{"bootstrap_servers": "b", "properties": {"enable.auto.commit": "true"}}"#, "set by pec itself"),
            (r#"{"bootstrap_servers": "b", "security": {"protocol": "sasl_ssl"}}"#, "needs sasl_mechanism"),
            (r#"{"bootstrap_servers": "b", "security": {"username": "u"}}"#, "need protocol"),
            (r#"{"bootstrap_servers": "b", "security": {"ca_file": "ca.pem"}}"#, "ca_file needs"),
            (
                r#"{"bootstrap_servers": "b", "security": {"protocol": "sasl_ssl", "sasl_mechanism": "PLAIN",
                    "username": "u", "password": "p", "password_env": "P"}}"#,
                "exactly one of",
            ),
        ] {
            let error = parse(json).expect_err(json);
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn a_password_does_not_show_in_debug_output() {
        let config = parse(
            r#"{"bootstrap_servers": "b", "security": {"protocol": "sasl_ssl", "sasl_mechanism": "SCRAM-SHA-512",
                "username": "bob", "password": "tulip"}}"#,
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("tulip"));
        assert_eq!(config.security.password().unwrap(), Some(Secret("tulip".to_owned())));
    }
}
