//! Compression, with one context per thread: making one costs more than compressing a small frame.

use std::cell::RefCell;

use crate::bytes::{Malformed, Parsed};
use crate::spare;

/// Level 1: twice as fast as level 3 for a tenth more bytes.
const LEVEL: i32 = 1;

thread_local! {
    static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    PACKER.with_borrow_mut(|slot| {
        let packer =
            slot.get_or_insert_with(|| zstd::bulk::Compressor::new(LEVEL).expect("level 1 exists in every zstd"));
        let mut packed = spare::buffer(zstd::zstd_safe::compress_bound(bytes.len()));
        packer
            .compress_to_buffer(bytes, &mut packed)
            .expect("compressing into a buffer of sufficient size cannot fail");
        packed
    })
}

/// `length` is what the frame says the bytes unpack to; anything else is refused.
pub(crate) fn unpack(packed: &[u8], length: usize) -> Parsed<Vec<u8>> {
    UNPACKER.with_borrow_mut(|slot| {
        let unpacker =
            slot.get_or_insert_with(|| zstd::bulk::Decompressor::new().expect("zstd contexts need only memory"));
        let mut bytes = spare::buffer(length);
        unpacker.decompress_to_buffer(packed, &mut bytes).map_err(|_| Malformed)?;
        if bytes.len() == length { Ok(bytes) } else { Err(Malformed) }
    })
}
