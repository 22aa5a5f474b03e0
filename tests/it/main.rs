//! Every test that needs more than one crate, in one binary. What belongs where:

// Reading our own tree: files, code without comments and strings, manifests.
mod source;
// House rules: crate arrows, words that have no place, file sizes, documents that name what exists.
mod architecture;
// Azure's own records, as they were really recorded, where a folder of them is named.
mod recordings;
// A naive second opinion on credit and money that shares no code with the domain.
mod oracle;
// The domain's arithmetic against fractions of any size.
mod exact;
