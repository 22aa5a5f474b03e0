//! Every test that needs more than one crate, in one binary. What belongs where:

// Reading our own tree: files, code without comments and strings, manifests.
mod source;
// House rules: crate arrows, words that have no place, file sizes, documents that name what exists.
mod architecture;
// Azure's own records, as they were really recorded, where a folder of them is named.
mod recordings;
// Suites of others for JSON and CloudEvents, in the same folder.
mod conformance;
// A naive second opinion on credit and money that shares no code with the domain.
mod oracle;
// The domain's arithmetic against fractions of any size.
mod exact;
// Random worlds: told in every order, judged by the domain and by the oracle.
mod simulation;
// Random events of every canonical kind, for whoever needs them.
mod generate;
// Schemas, examples and the decoder agree.
mod schemas;
// What the document says is to be seen of a rule, held against real answers.
mod shown;
// The decision tables of the channel: code and document.
mod channel;
// The policy's fields: code, schemas and document.
mod policy;
// Orders from the outside: checked, answered once by events, shown with what is missing.
mod orders;
// A real Apache Kafka, started and killed by the tests themselves.
mod broker;
// What tests of reading Kafka share.
mod kafka;
// Months that are issued while facts still come: rehearsed, drafted again, adjusted, voided.
mod adjusting;
// Reading Kafka, with the broker inside the process.
mod kafka_mock;
// Reading a real Kafka: outages, transactions, recreated topics, TLS and SASL.
mod kafka_real;
// The examples that operators copy.
mod deploy;
// One rule, one name, four places; documents that repeat a table of the code.
mod rules;
// Drafts drawn on several cores.
mod side_by_side;
// Reading for long while others append.
mod holding;
// The scenarios, at every depth.
mod scenarios;
// The real program, from the outside.
mod cli;
// Files into a journal: whole, broken, empty, from stdin.
mod importing;
// The daily lines behind an invoice.
mod daily;
// What an operator sees: metrics, acceptances, figures.
mod operations;
// The directory is lost and made again from Kafka.
mod restoring;

// A journal without a disk and Azure's records, as scenarios use them.
use app::scenario::{azure, memory};
// Policy, what-if and access, asked of the real program.
mod questions;
// Every reason at once, and the entries behind it.
mod reasons;
// What is shown of places and of money: moves and the tree behind a verdict, true equations.
mod explained;
// The leak meter: a revoked grant becomes an alert, its return an end.
mod leaks;
// Access that ends by itself, and delegations with several authorisations.
mod reports;
// What the report of access lists, and what a timeline shows of a resource that moved.
mod ours;
// Sentences that people read.
mod wording;
