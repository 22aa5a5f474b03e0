//! What can stop ingest, by name, each with what to do next.
//!
//! A fault never loses anything: what was appended is durable, what was not is still in Kafka, and
//! a restart continues at the journal's own offsets. Conditions that heal by themselves (a broker
//! that is down) are no faults; they are logged and waited out.

use rdkafka::error::KafkaError;

/// An error of whoever appends to the journal, handed through unchanged.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A condition under which ingest refuses to go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    #[error("the Kafka configuration cannot be used: {0}")]
    Configuration(String),

    #[error("no Kafka broker answered at {servers} while {doing}: {detail}")]
    Unreachable { servers: String, doing: &'static str, detail: String },

    #[error("Kafka at {servers} refused us: {detail}")]
    AccessRefused { servers: String, detail: String },

    #[error("topic {topic} does not exist at {servers}")]
    TopicMissing { topic: String, servers: String },

    #[error("topic {topic} has {found} partitions, the journal knows {known}")]
    PartitionCountChanged { topic: String, known: usize, found: usize },

    #[error("this is another Kafka cluster: the journal was filled from {known}, the brokers answer as {found}")]
    OtherCluster { known: String, found: String },

    #[error(
        "retention gap in {topic}/{partition}: offsets {next} to {} were deleted by Kafka before we read them",
        low - 1
    )]
    RetentionGap { topic: String, partition: i32, next: i64, low: i64 },

    #[error(
        "{topic}/{partition} is truncated or was recreated: it ends at offset {high}, we have already recorded up to {next}"
    )]
    Truncated { topic: String, partition: i32, next: i64, high: i64 },

    #[error("{topic}/{partition} was recreated: offset {offset} no longer holds the record that we recorded from it")]
    Recreated { topic: String, partition: i32, offset: i64 },

    #[error("{topic}/{partition} delivered offset {offset} where {expected} or later was due")]
    OffsetWentBack { topic: String, partition: i32, expected: i64, offset: i64 },

    #[error("Kafka reported a condition that would skip records: {source}")]
    Unsafe {
        #[source]
        source: KafkaError,
    },

    #[error("could not {doing}: {source}")]
    Client {
        doing: &'static str,
        #[source]
        source: KafkaError,
    },

    #[error("could not publish to {topic}: {detail}")]
    Publish { topic: String, detail: String },

    #[error("the in-process broker trimmed {topic}/{partition} up to offset {low}: it keeps 5 MB or 100,000 batches")]
    MockTrimmed { topic: String, partition: i32, low: i64 },

    #[error("a batch from Kafka could not be appended to the journal: {source}")]
    Append {
        #[source]
        source: BoxError,
    },
}

impl Fault {
    /// The stable name, as `docs/operating.md` lists it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "configuration",
            Self::Unreachable { .. } => "unreachable",
            Self::AccessRefused { .. } => "access-refused",
            Self::TopicMissing { .. } => "topic-missing",
            Self::PartitionCountChanged { .. } => "partition-count-changed",
            Self::OtherCluster { .. } => "other-cluster",
            Self::RetentionGap { .. } => "retention-gap",
            Self::Truncated { .. } => "truncated",
            Self::Recreated { .. } => "recreated-topic",
            Self::OffsetWentBack { .. } => "offset-went-back",
            Self::Unsafe { .. } => "unsafe-to-continue",
            Self::Client { .. } => "client",
            Self::Publish { .. } => "publish",
            Self::MockTrimmed { .. } => "mock-trimmed",
            Self::Append { .. } => "append",
        }
    }

    /// What to do next, in one or two sentences.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Configuration(_) => "correct the [kafka] table of the configuration".to_owned(),
            Self::Unreachable { servers, .. } => format!(
                "check that {servers} is right and reachable from here, and that security.protocol is what the listener speaks"
            ),
            Self::AccessRefused { .. } => {
                "check user, password, mechanism and CA file in [kafka.security], and that the principal may read the topics".to_owned()
            }
            Self::TopicMissing { topic, .. } => {
                format!("create {topic}, correct its name in [kafka.topics], or set the name to \"\" to not read that stream from Kafka")
            }
            Self::PartitionCountChanged { topic, known, found } if found > known => format!(
                "if partitions were added to {topic} on purpose, start once with --accept new-partitions: they are read from their beginning"
            ),
            Self::PartitionCountChanged { topic, .. } => format!(
                "Kafka never removes partitions: {topic} was recreated, or this is another cluster; start once with --accept recreated-topic to read it from its beginning (known events are counted as duplicates)"
            ),
            Self::OtherCluster { .. } => {
                "correct bootstrap_servers; after a migration start once with --accept other-cluster: every topic is read from its beginning, known events are counted as duplicates".to_owned()
            }
            Self::RetentionGap { .. } => {
                "import the missing range from files if you have it, then start once with --accept retention-gap; raise the topic's retention so that it cannot happen again".to_owned()
            }
            Self::Truncated { topic, .. } => format!(
                "find out whether brokers lost records (unclean leader election) or {topic} was recreated; then start once with --accept recreated-topic to read it from its beginning (known events are counted as duplicates)"
            ),
            Self::Recreated { topic, .. } => format!(
                "if {topic} was deleted and created again on purpose, start once with --accept recreated-topic to read it from its beginning (known events are counted as duplicates)"
            ),
            Self::OffsetWentBack { .. } | Self::Unsafe { .. } => {
                "nothing was lost: restart, and pec continues at the journal's own offsets; if it comes back, look at the broker's log".to_owned()
            }
            Self::Client { .. } => "look at the broker's log and at the configuration of [kafka]".to_owned(),
            Self::Publish { topic, .. } => {
                format!("what was decided is durable in the journal; it is published again at the next start once {topic} can be written")
            }
            Self::MockTrimmed { .. } => "use more partitions or fewer events with the in-process broker".to_owned(),
            Self::Append { .. } => "nothing of that batch was acknowledged; mend the journal's fault and restart".to_owned(),
        }
    }
}
