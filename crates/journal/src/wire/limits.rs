//! Every limit of the decoders, in one place.
//!
//! A limit exists so that no message can take the process down (depth, counts, sizes) and so that
//! no number can be written that sums and products would not hold exactly (digits). Producers read
//! the same figures in `schemas/README.md`.

use domain::entry::Stream;

/// The longest value that is read as JSON, in bytes. Brokers stop at about 1 MB; files and Activity
/// Log exports may be larger, issued invoices much larger.
pub(crate) fn value_bytes(stream: Stream) -> usize {
    match stream {
        Stream::Decisions => 256 << 20,
        _ => 16 << 20,
    }
}

/// How many JSON values one message may hold, all levels together.
pub(crate) fn json_values(stream: Stream) -> usize {
    match stream {
        Stream::Decisions => 20_000_000,
        _ => 1_000_000,
    }
}

/// How deep arrays and objects may be nested.
pub(crate) const JSON_DEPTH: usize = 64;

/// Characters of a CloudEvents `id` or `source`.
pub(crate) const IDENTITY_CHARS: usize = 1_024;

/// Characters of a CloudEvents attribute name. The standard recommends 20; real ones are longer.
pub(crate) const ATTRIBUTE_NAME_CHARS: usize = 64;

/// Characters of a name, a code or an id that is free text (`unit`, `productId`, a document's id).
pub(crate) const NAME_CHARS: usize = 512;

/// Characters of a resource URI or scope.
pub(crate) const SCOPE_CHARS: usize = 2_048;

/// Characters of what people wrote: reasons, titles, conditions, values of a policy.
pub(crate) const WORDS_CHARS: usize = 65_536;

/// Significant digits of any number: what 96 bits hold without rounding.
pub(crate) const DIGITS: u32 = 28;

/// Digits after the decimal point of any number.
pub(crate) const DECIMALS: u32 = 28;

/// Digits before the decimal point of a metered quantity. Below 10^15, so that 2^64 events of one
/// month still add up within 256 bits and any product with a price is a number people can read.
pub(crate) const QUANTITY_WHOLE_DIGITS: u32 = 15;

/// The bytes of one price-sheet part that we write ourselves: well under Kafka's 1 MB.
pub(crate) const PART_BYTES: usize = 700_000;

/// The unpacked size of an imported table. A whole market's sheet is about 150 MB.
pub(crate) const TABLE_BYTES: u64 = 1 << 30;
