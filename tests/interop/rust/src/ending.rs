//! How the other side brought a stream to its end.

use std::io;

use libp2p::{
    futures::{AsyncReadExt as _, AsyncWriteExt as _},
    Stream,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Eof,
    Reset,
}

impl Ending {
    /// Reads and drops all that comes, and tells how it ended. Our half has to be open.
    ///
    /// To a reader rust-yamux reports a reset as it reports a FIN: nothing more comes. But a
    /// reset is the end of our half too, so that from then on no write is taken, not even one of
    /// no bytes; after a FIN it is.
    pub async fn of(stream: &mut Stream) -> io::Result<Self> {
        let mut chunk = vec![0; 4 << 10];
        while stream.read(&mut chunk).await? > 0 {}
        match stream.write(&[]).await {
            Ok(_) => Ok(Self::Eof),
            Err(error) if error.kind() == io::ErrorKind::WriteZero => Ok(Self::Reset),
            Err(error) => Err(error),
        }
    }

    /// As the protocol `last-fate` has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Eof => "eof",
            Self::Reset => "reset",
        }
    }
}
