//! A file on disk as a stream of unpacked bytes, with the digest of its packed ones.
//!
//! The digest is needed before the first record, so the file is read twice; the second reading is
//! hashed as well, because a file that changed in between would carry a name that is not its own.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use domain::ids::Digest;
use flate2::bufread::MultiGzDecoder;

use super::FileFault;

/// How much is looked at before anything is decided.
const HEAD: u64 = 1 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

pub(super) struct Source {
    digest: Digest,
    bytes: u64,
    position: Rc<Cell<u64>>,
    hasher: Rc<RefCell<blake3::Hasher>>,
    unpacked: Box<dyn BufRead>,
    damage: Rc<RefCell<Option<String>>>,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, FileFault> {
        let at = FileFault::Io;
        let mut file = ordinary(path)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut file).map_err(at)?;
        let (digest, bytes) = (Digest(*hasher.finalize().as_bytes()), hasher.count());
        let position = Rc::new(Cell::new(0));
        let hasher = Rc::new(RefCell::new(blake3::Hasher::new()));
        let again = File::open(path).map_err(at)?;
        let watched = Watched { inner: again, position: Rc::clone(&position), hasher: Rc::clone(&hasher) };
        let mut packed = BufReader::with_capacity(1 << 16, watched);
        let damage = Rc::new(RefCell::new(None));
        let unpacked: Box<dyn BufRead> = if packed.fill_buf().map_err(at)?.starts_with(&GZIP) {
            let inner = MultiGzDecoder::new(packed);
            Box::new(BufReader::with_capacity(1 << 16, Unpacking { inner, damage: Rc::clone(&damage) }))
        } else {
            Box::new(packed)
        };
        Ok(Self { digest, bytes, position, hasher, unpacked, damage })
    }

    /// The first bytes, unpacked; they are not read again from [`Source::rest`]. Of a damaged gzip
    /// those before the damage.
    pub(super) fn head(&mut self) -> Result<Vec<u8>, FileFault> {
        let mut head = Vec::new();
        match self.unpacked.by_ref().take(HEAD).read_to_end(&mut head) {
            Err(error) if self.damage.borrow().is_none() => Err(FileFault::Io(error)),
            _ => Ok(head),
        }
    }

    /// Why the gzip could not be unpacked further, once that has been met.
    pub(super) fn damage(&self) -> Option<String> {
        self.damage.borrow().clone()
    }

    /// Whether a head of this length is all there is.
    pub(super) fn is_whole(head: &[u8]) -> bool {
        (head.len() as u64) < HEAD
    }

    pub(super) fn rest(&mut self) -> &mut dyn BufRead {
        &mut *self.unpacked
    }

    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How far the packed file has been read.
    pub(super) fn position(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.position)
    }

    pub(super) fn check_unchanged(mut self) -> Result<(), FileFault> {
        std::io::copy(&mut self.unpacked, &mut std::io::sink()).map_err(FileFault::Io)?;
        let read = Digest(*self.hasher.borrow().finalize().as_bytes());
        if read == self.digest { Ok(()) } else { Err(FileFault::Changed) }
    }
}

/// Opens what is an ordinary file, and nothing else: a pipe could not be read twice.
fn ordinary(path: &Path) -> Result<File, FileFault> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FileFault::Missing,
        _ => FileFault::Io(error),
    })?;
    if file.metadata().map_err(FileFault::Io)?.is_file() { Ok(file) } else { Err(FileFault::NoFile) }
}

/// The first bytes, unpacked; of a damaged gzip those before the damage.
pub(super) fn first_bytes(path: &Path) -> Result<Vec<u8>, FileFault> {
    const FIRST: u64 = 1 << 16;
    let mut packed = BufReader::with_capacity(1 << 16, ordinary(path)?);
    let mut first = Vec::new();
    if packed.fill_buf().map_err(FileFault::Io)?.starts_with(&GZIP) {
        // Whether it is whole is found out, and said, by whoever reads it to its end.
        let _damaged = MultiGzDecoder::new(packed).take(FIRST).read_to_end(&mut first);
    } else {
        packed.take(FIRST).read_to_end(&mut first).map_err(FileFault::Io)?;
    }
    Ok(first)
}

/// Unpacks, and remembers what is wrong with the gzip apart from what is wrong with the disk. Once
/// damaged it stays so, because what the decoder gives after an error is not what was packed.
struct Unpacking<R> {
    inner: MultiGzDecoder<R>,
    damage: Rc<RefCell<Option<String>>>,
}

impl<R: BufRead> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if let Some(reason) = &*self.damage.borrow() {
            return Err(std::io::Error::new(InvalidData, reason.clone()));
        }
        self.inner.read(buffer).inspect_err(|error| {
            if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) {
                *self.damage.borrow_mut() = Some(error.to_string());
            }
        })
    }
}

/// Counts and hashes what passes through.
struct Watched {
    inner: File,
    position: Rc<Cell<u64>>,
    hasher: Rc<RefCell<blake3::Hasher>>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(fresh) = buffer.get(..read) {
            self.hasher.borrow_mut().update(fresh);
        }
        self.position.set(self.position.get() + read as u64);
        Ok(read)
    }
}
