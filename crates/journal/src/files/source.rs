//! A file on disk as a stream of unpacked bytes, with the digest of its packed ones.
//!
//! The digest is needed before the first record, so the file is read twice; the second reading is
//! hashed as well, because a file that changed in between would carry a name that is not its own.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use domain::ids::Digest;
use flate2::bufread::MultiGzDecoder;

use super::{FileFault, io};

/// How much is looked at before anything is decided.
const HEAD: u64 = 1 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

pub(super) struct Source {
    path: PathBuf,
    digest: Digest,
    bytes: u64,
    position: Rc<Cell<u64>>,
    hasher: Rc<RefCell<blake3::Hasher>>,
    unpacked: Box<dyn BufRead>,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, FileFault> {
        let at = |source| io(path, source);
        let mut file = File::open(path).map_err(at)?;
        if !file.metadata().map_err(at)?.is_file() {
            return Err(at(std::io::Error::other("it is no ordinary file")));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut file).map_err(at)?;
        let (digest, bytes) = (Digest(*hasher.finalize().as_bytes()), hasher.count());
        let position = Rc::new(Cell::new(0));
        let hasher = Rc::new(RefCell::new(blake3::Hasher::new()));
        let again = File::open(path).map_err(at)?;
        let watched = Watched { inner: again, position: Rc::clone(&position), hasher: Rc::clone(&hasher) };
        let mut packed = BufReader::with_capacity(1 << 16, watched);
        let unpacked: Box<dyn BufRead> = if packed.fill_buf().map_err(at)?.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(packed)))
        } else {
            Box::new(packed)
        };
        Ok(Self { path: path.to_owned(), digest, bytes, position, hasher, unpacked })
    }

    /// The first bytes, unpacked; they are not read again from [`Source::rest`].
    pub(super) fn head(&mut self) -> Result<Vec<u8>, FileFault> {
        let mut head = Vec::new();
        self.unpacked.by_ref().take(HEAD).read_to_end(&mut head).map_err(|source| io(&self.path, source))?;
        Ok(head)
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
        std::io::copy(&mut self.unpacked, &mut std::io::sink()).map_err(|source| io(&self.path, source))?;
        let read = Digest(*self.hasher.borrow().finalize().as_bytes());
        if read == self.digest { Ok(()) } else { Err(FileFault::Changed { path: self.path }) }
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
