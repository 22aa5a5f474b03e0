//! Creating and inspecting topics, for `pec generate`, `pec demo` and tests.
//!
//! Reading into the journal never creates, changes or deletes anything in the cluster.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::Config;
use crate::fault::Fault;
use crate::{check, limits, settings};

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    pub name: String,
    pub partitions: i32,
    /// Topic settings, such as `retention.ms`.
    pub settings: BTreeMap<String, String>,
}

impl TopicSpec {
    #[must_use]
    pub fn new(name: &str, partitions: i32) -> Self {
        Self { name: name.to_owned(), partitions, settings: BTreeMap::new() }
    }

    #[must_use]
    pub fn with(mut self, setting: &str, value: &str) -> Self {
        self.settings.insert(setting.to_owned(), value.to_owned());
        self
    }
}

/// The topics of a configuration. Usage and commerce get the same number of partitions, so that
/// one customer's events meet in one number; decisions keep their order in a single one.
#[must_use]
pub fn topics_of(config: &Config, partitions: i32) -> Vec<TopicSpec> {
    use domain::entry::Stream;
    let mut specs: Vec<TopicSpec> = config
        .topics
        .read()
        .map(|(stream, topic)| match stream {
            Stream::Usage | Stream::Commerce => TopicSpec::new(topic, partitions),
            Stream::Access | Stream::Reference | Stream::Decisions => TopicSpec::new(topic, 1),
        })
        .collect();
    if let Some(topic) = config.topics.of(Stream::Decisions) {
        // What was decided is kept for ever.
        specs.push(
            TopicSpec::new(topic, 1)
                .with("retention.ms", "-1")
                .with("max.message.bytes", &limits::MESSAGE_BYTES.to_string()),
        );
    }
    specs
}

/// Creates topics with as many replicas as the cluster's default says; those that exist are left
/// as they are.
pub fn create_topics(config: &Config, topics: &[TopicSpec]) -> Result<(), Fault> {
    let admin = client(config)?;
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| {
            let new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(-1));
            topic.settings.iter().fold(new, |new, (name, value)| new.set(name, value))
        })
        .collect();
    let results = wait(admin.create_topics(&new, &options()))
        .map_err(|source| Fault::Client { doing: "create topics", source })?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(Fault::Client { doing: "create a topic", source: KafkaError::AdminOp(code) }),
        }
    }
    Ok(())
}

/// Deletes topics with all they hold. Only tests have a reason to.
pub fn delete_topics(config: &Config, names: &[&str]) -> Result<(), Fault> {
    let results = wait(client(config)?.delete_topics(names, &options()))
        .map_err(|source| Fault::Client { doing: "delete topics", source })?;
    for result in results {
        if let Err((_, code)) = result {
            return Err(Fault::Client { doing: "delete a topic", source: KafkaError::AdminOp(code) });
        }
    }
    Ok(())
}

/// Adds partitions to a topic.
pub fn add_partitions(config: &Config, topic: &str, total: usize) -> Result<(), Fault> {
    let results = wait(client(config)?.create_partitions(&[NewPartitions::new(topic, total)], &options()))
        .map_err(|source| Fault::Client { doing: "add partitions", source })?;
    for result in results {
        if let Err((_, code)) = result {
            return Err(Fault::Client { doing: "add partitions to a topic", source: KafkaError::AdminOp(code) });
        }
    }
    Ok(())
}

/// Deletes the records of one partition before an offset, as retention does in time.
pub fn delete_records(config: &Config, topic: &str, partition: i32, before: i64) -> Result<(), Fault> {
    let mut offsets = rdkafka::TopicPartitionList::new();
    crate::cluster::assign_at(&mut offsets, topic, partition, before)?;
    wait(client(config)?.delete_records(&offsets, &options()))
        .map(drop)
        .map_err(|source| Fault::Client { doing: "delete records", source })
}

/// What is risky about the settings of the topics that are read. Clusters that do not tell their
/// settings (no right, not supported) give no warnings.
pub(crate) fn topic_warnings(config: &Config) -> Vec<String> {
    let Ok(admin) = client(config) else { return Vec::new() };
    let topics: Vec<&str> = config.topics.read().map(|(_, topic)| topic).collect();
    let asked: Vec<ResourceSpecifier<'_>> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let answered = match wait(admin.describe_configs(&asked, &options())) {
        Ok(answered) => answered,
        Err(error) => {
            tracing::debug!(%error, "the cluster does not tell the settings of its topics");
            return Vec::new();
        }
    };
    let mut warnings = Vec::new();
    for (topic, answer) in topics.iter().zip(answered) {
        let Ok(resource) = answer else { continue };
        let told = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect();
        warnings.extend(check::topic_settings(topic, &told));
    }
    warnings
}

fn client(config: &Config) -> Result<AdminClient<DefaultClientContext>, Fault> {
    settings::admin(config)?.create().map_err(|source| Fault::Client { doing: "make a Kafka admin client", source })
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(limits::REQUEST)).operation_timeout(Some(limits::REQUEST))
}

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for one answer of the admin client, which has a thread of its own and needs no runtime.
/// It answers or times out by itself.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut answer = pin!(answer);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}
