//! A Kafka broker inside this process, for `pec demo` and tests where no real one is wanted.
//!
//! It is librdkafka's own mock: real TCP on loopback, but nothing survives the process, there is
//! no TLS, no SASL and no administration, and transactions are not real. Each partition keeps only
//! 5 MB or 100,000 batches and then forgets the oldest: whoever shows numbers must ask
//! [`MockBroker::check_nothing_trimmed`] first.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rdkafka::client::Client;
use rdkafka::producer::{BaseProducer, DefaultProducerContext, Producer as _};

use crate::admin::TopicSpec;
use crate::cluster::{self, Questions};
use crate::config::Config;
use crate::fault::Fault;
use crate::settings;

/// The broker; it stops when dropped.
pub struct MockBroker {
    /// The client that hosts the mock cluster. It produces nothing.
    host: BaseProducer,
    servers: String,
    topics: Vec<TopicSpec>,
}

impl MockBroker {
    /// Starts a broker that holds the given topics, all empty. Settings of topics are ignored.
    pub fn start(topics: &[TopicSpec]) -> Result<Self, Fault> {
        let host: BaseProducer = rdkafka::ClientConfig::new()
            .set("test.mock.num.brokers", "1")
            .create()
            .map_err(|source| Fault::Client { doing: "start the in-process broker", source })?;
        let mut broker = Self { host, servers: String::new(), topics: topics.to_vec() };
        let mock = broker.mock();
        for topic in topics {
            mock.create_topic(&topic.name, topic.partitions, 1)
                .map_err(|source| Fault::Client { doing: "create a topic of the in-process broker", source })?;
        }
        let servers = mock.bootstrap_servers();
        drop(mock);
        broker.servers = servers;
        Ok(broker)
    }

    /// `host:port`, also for other processes of this machine.
    #[must_use]
    pub fn bootstrap_servers(&self) -> &str {
        &self.servers
    }

    /// Makes the broker unreachable, as when its machine is gone.
    pub fn go_down(&self) -> Result<(), Fault> {
        self.mock().broker_down(1).map_err(|source| Fault::Client { doing: "stop the in-process broker", source })
    }

    pub fn come_back(&self) -> Result<(), Fault> {
        self.mock().broker_up(1).map_err(|source| Fault::Client { doing: "start the in-process broker again", source })
    }

    /// Makes every answer take this long, as from far away.
    pub fn answer_after(&self, delay: Duration) -> Result<(), Fault> {
        self.mock()
            .broker_round_trip_time(1, delay)
            .map_err(|source| Fault::Client { doing: "slow the in-process broker down", source })
    }

    /// Refuses if the broker has forgotten records: its low watermarks are not 0 any more.
    pub fn check_nothing_trimmed(&self) -> Result<(), Fault> {
        let config = Config::plain(&self.servers);
        let consumer = cluster::connect(&settings::probe(&config)?)?;
        let stop = AtomicBool::new(false);
        let questions = Questions { config: &config, consumer: &consumer, stop: &stop };
        for topic in &self.topics {
            // The stream plays no part in asking for watermarks.
            let seen = questions.look_at(domain::entry::Stream::Usage, &topic.name)?;
            for (partition, &(low, _)) in (0_i32..).zip(&seen.watermarks) {
                if low > 0 {
                    return Err(Fault::MockTrimmed { topic: topic.name.clone(), partition, low });
                }
            }
        }
        crate::close(consumer);
        Ok(())
    }

    fn mock(&self) -> rdkafka::mocking::MockCluster<'_, DefaultProducerContext> {
        let client: &Client<DefaultProducerContext> = self.host.client();
        client.mock_cluster().expect("the client was configured to host one")
    }
}
