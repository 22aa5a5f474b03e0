//! Configuration: one TOML file, environment overrides, read once and checked whole.
//!
//! Unknown keys and unknown `PEC_…` variables are refused, so that a misspelt setting can never
//! silently mean the default. [`Config`] is the checked form; [`Loaded::redacted`] prints the
//! settings in force without secrets.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::alerts::{Webhook, WrittenWebhook};
use crate::exit::Problem;

/// Where the configuration is looked for when nobody names a file.
pub const DEFAULT_FILE: &str = "pec.toml";

/// Every environment variable, and the key it overrides.
pub const VARIABLES: &[(&str, &str)] = &[
    ("PEC_DATA_DIR", "data_dir"),
    ("PEC_LOG_FORMAT", "log.format"),
    ("PEC_LOG_LEVEL", "log.level"),
    ("PEC_METRICS_LISTEN", "metrics.listen"),
    ("PEC_KAFKA_BOOTSTRAP_SERVERS", "kafka.bootstrap_servers"),
    ("PEC_KAFKA_GROUP_ID", "kafka.group_id"),
    ("PEC_KAFKA_USERNAME", "kafka.security.username"),
    ("PEC_KAFKA_PASSWORD", "kafka.security.password"),
    ("PEC_KAFKA_PROTOCOL", "kafka.security.protocol"),
];

/// Variables with the prefix that are no settings: which file to read, who decides, and
/// where a test lets the journal crash.
const OTHER_VARIABLES: &[&str] = &["PEC_CONFIG", "PEC_ACTOR", "PEC_CRASH_AT"];

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub data_dir: PathBuf,
    pub log: Log,
    /// Where metrics and health are served; `None` switches them off.
    pub metrics_listen: Option<SocketAddr>,
    pub kafka: Option<ingest::Config>,
    /// Where alerts are posted.
    pub webhook: Option<Webhook>,
    /// How far the clock may be ahead of the last entry at start.
    pub clock_ahead_days: u32,
}

#[derive(Clone, Debug)]
pub struct Log {
    pub format: LogFormat,
    /// A filter as `tracing` reads it: `info`, or `info,ingest=debug`.
    pub level: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    data_dir: Option<PathBuf>,
    clock_ahead_days: Option<u32>,
    log: Option<WrittenLog>,
    metrics: Option<WrittenMetrics>,
    kafka: Option<ingest::Config>,
    alerts: Option<WrittenAlerts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAlerts {
    webhook: Option<WrittenWebhook>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLog {
    format: Option<LogFormat>,
    level: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMetrics {
    /// Empty: switched off.
    listen: Option<String>,
    /// Needed for any address that others can reach.
    allow_public: Option<bool>,
}

/// The settings together with where they came from.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub sources: Vec<String>,
    table: Table,
}

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub file: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
}

/// Reads the file, lays environment and command line over it, and checks the whole.
pub fn load(overrides: &Overrides, environment: impl IntoIterator<Item = (String, String)>) -> Result<Loaded, Problem> {
    let environment: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| name.starts_with("PEC_")).collect();
    let named = environment.iter().find(|(name, _)| name == "PEC_CONFIG").map(|(_, path)| PathBuf::from(path));
    let (mut table, mut sources) = read_file(overrides.file.clone().or(named))?;
    for (name, value) in &environment {
        if OTHER_VARIABLES.contains(&name.as_str()) {
            continue;
        }
        let Some((_, key)) = VARIABLES.iter().find(|(variable, _)| variable == name) else {
            let known: Vec<&str> = VARIABLES.iter().map(|(variable, _)| *variable).collect();
            return Err(Problem::usage(format!("{name} is no setting of pec"))
                .hint(format!("known variables: {}", known.join(", "))));
        };
        set(&mut table, key, Value::String(value.clone()))?;
        sources.push(format!("environment {name}"));
    }
    if let Some(data_dir) = &overrides.data_dir {
        let text = data_dir.to_str().ok_or_else(|| Problem::usage("--data-dir is not valid UTF-8"))?;
        set(&mut table, "data_dir", Value::String(text.to_owned()))?;
        sources.push("--data-dir".to_owned());
    }
    let written: Written = table.clone().try_into().map_err(|error: toml::de::Error| {
        Problem::usage(format!("the configuration cannot be used: {}", error.message()))
            .hint(format!("taken from: {}", sources.join(", ")))
    })?;
    let config = check(written)?;
    fill_defaults(&mut table, &config)?;
    Ok(Loaded { config, sources, table })
}

fn read_file(named: Option<PathBuf>) -> Result<(Table, Vec<String>), Problem> {
    let explicit = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !explicit => {
            return Ok((Table::new(), vec!["built-in defaults".to_owned()]));
        }
        Err(error) => {
            return Err(Problem::usage(format!("cannot read the configuration {}: {error}", path.display()))
                .hint("name a file with --config, or leave it out to run with the defaults"));
        }
    };
    let table: Table = toml::from_str(&text).map_err(|error| {
        Problem::usage(format!("the configuration {} is not valid TOML: {}", path.display(), error.message()))
            .hint(where_in(&text, error.span()))
    })?;
    Ok((table, vec![path.display().to_string()]))
}

fn where_in(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let start = span.map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("look at line {line}")
}

/// Sets a dotted key, making tables on the way.
fn set(table: &mut Table, key: &str, value: Value) -> Result<(), Problem> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((head, rest)) => match table.entry(head.to_owned()).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => set(inner, rest, value),
            _ => Err(Problem::usage(format!("the configuration key `{head}` must be a table"))),
        },
    }
}

fn check(written: Written) -> Result<Config, Problem> {
    let metrics = written.metrics.unwrap_or(WrittenMetrics { listen: None, allow_public: None });
    if let Some(kafka) = &written.kafka {
        kafka.validate().map_err(|fault| Problem::usage(fault.to_string()).hint(fault.hint()))?;
    }
    let webhook = written.alerts.and_then(|alerts| alerts.webhook);
    let log = written.log.unwrap_or(WrittenLog { format: None, level: None });
    Ok(Config {
        data_dir: written.data_dir.unwrap_or_else(|| PathBuf::from("./pec-data")),
        log: Log {
            format: log.format.unwrap_or(LogFormat::Text),
            level: log.level.unwrap_or_else(|| "info".to_owned()),
        },
        metrics_listen: listen(&metrics)?,
        kafka: written.kafka,
        webhook: webhook.map(|webhook| Webhook::check(&webhook)).transpose()?,
        clock_ahead_days: written.clock_ahead_days.unwrap_or(31),
    })
}

const DEFAULT_LISTEN: &str = "127.0.0.1:9464";

/// Metrics carry no authentication, so an address that others can reach needs a plain yes.
fn listen(metrics: &WrittenMetrics) -> Result<Option<SocketAddr>, Problem> {
    let text = metrics.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
    if text.is_empty() {
        return Ok(None);
    }
    let address: SocketAddr = text.parse().map_err(|_| {
        Problem::usage(format!("metrics.listen is `{text}`, which is no address"))
            .hint("write an address and a port, for example 127.0.0.1:9464, or \"\" to switch it off")
    })?;
    if !address.ip().is_loopback() && metrics.allow_public != Some(true) {
        return Err(Problem::usage(format!("metrics.listen is {address}, which others can reach without a password"))
            .hint("listen on 127.0.0.1, or set metrics.allow_public = true"));
    }
    Ok(Some(address))
}

fn fill_defaults(table: &mut Table, config: &Config) -> Result<(), Problem> {
    let format = match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    set(table, "data_dir", Value::String(config.data_dir.display().to_string()))?;
    set(table, "clock_ahead_days", Value::Integer(config.clock_ahead_days.into()))?;
    set(table, "log.format", Value::String(format.to_owned()))?;
    set(table, "log.level", Value::String(config.log.level.clone()))?;
    let listen = config.metrics_listen.map_or_else(String::new, |address| address.to_string());
    set(table, "metrics.listen", Value::String(listen))
}

impl Loaded {
    /// The settings in force as TOML, with everything that could be a secret blacked out.
    #[must_use]
    pub fn redacted(&self) -> String {
        let mut table = self.table.clone();
        redact(&mut table);
        table.to_string()
    }
}

fn redact(table: &mut Table) {
    for (key, value) in table.iter_mut() {
        let key = key.to_ascii_lowercase();
        let names_a_place = key.ends_with("_file") || key.ends_with("_env") || key.ends_with(".location");
        // A receiver's address often is its password.
        let secret = key == "url" || ["password", "secret", "token", "pem"].iter().any(|word| key.contains(word));
        match value {
            Value::Table(inner) => redact(inner),
            value if secret && !names_a_place => *value = Value::String("(not shown)".to_owned()),
            _ => {}
        }
    }
}

/// The path of the command socket in a data directory.
#[must_use]
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("pec.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Problem> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let overrides = Overrides { file: Some(file.path().to_owned()), data_dir: None };
        load(&overrides, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn an_empty_file_means_the_defaults_and_the_environment_wins_over_the_file() {
        let loaded = with("", &[]).unwrap();
        assert_eq!(loaded.config.data_dir, PathBuf::from("./pec-data"));
        assert_eq!(loaded.config.metrics_listen.unwrap().to_string(), DEFAULT_LISTEN);
        let loaded = with("data_dir = \"a\"\n[log]\nformat = \"json\"", &[("PEC_DATA_DIR", "b")]).unwrap();
        assert_eq!(loaded.config.data_dir, PathBuf::from("b"));
        assert_eq!(loaded.config.log.format, LogFormat::Json);
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused_wherever_it_stands() {
        assert!(with("data_dri = \"a\"", &[]).unwrap_err().what.contains("data_dri"));
        assert!(with("[log]\nformt = \"json\"", &[]).unwrap_err().what.contains("formt"));
        assert!(with("", &[("PEC_DATADIR", "b")]).unwrap_err().what.contains("PEC_DATADIR"));
    }

    #[test]
    fn an_address_that_others_can_reach_needs_a_plain_yes() {
        assert!(with("[metrics]\nlisten = \"0.0.0.0:1\"", &[]).unwrap_err().what.contains("others can reach"));
        assert!(with("[metrics]\nlisten = \"0.0.0.0:1\"\nallow_public = true", &[]).is_ok());
        assert_eq!(with("[metrics]\nlisten = \"\"", &[]).unwrap().config.metrics_listen, None);
    }

    #[test]
    fn secrets_are_not_printed() {
        let text = "[kafka]\nbootstrap_servers = \"b:1\"\n[kafka.security]\nprotocol = \"sasl_ssl\"\n\
                    sasl_mechanism = \"PLAIN\"\nusername = \"bob\"\npassword = \"tulip\"\n\
                    [kafka.properties]\n\"ssl.key.password\" = \"rose\"\n\"ssl.key.location\" = \"key.pem\"";
        let printed = with(text, &[]).unwrap().redacted();
        assert!(!printed.contains("tulip") && !printed.contains("rose"), "{printed}");
        assert!(printed.contains("bob") && printed.contains("key.pem"), "{printed}");
    }
}
