//! The keys that a host can have.

use std::str::FromStr;

use anyhow::{bail, Context as _, Error, Result};
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
};
use libp2p::identity::Keypair;

#[derive(Clone, Copy, Default)]
pub enum KeyKind {
    #[default]
    Ed25519,
    Secp256k1,
    Ecdsa,
    Rsa,
}

impl FromStr for KeyKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "ed25519" => Ok(Self::Ed25519),
            "secp256k1" => Ok(Self::Secp256k1),
            "ecdsa" => Ok(Self::Ecdsa),
            "rsa" => Ok(Self::Rsa),
            _ => bail!("no key {name:?}; there are ed25519, secp256k1, ecdsa and rsa"),
        }
    }
}

impl KeyKind {
    /// A fresh key.
    pub fn generate(self) -> Result<Keypair> {
        match self {
            Self::Ed25519 => Ok(Keypair::generate_ed25519()),
            Self::Secp256k1 => Ok(Keypair::generate_secp256k1()),
            Self::Ecdsa => Ok(Keypair::generate_ecdsa()),
            Self::Rsa => generate_rsa(),
        }
    }
}

/// rust-libp2p reads RSA keys and makes none.
fn generate_rsa() -> Result<Keypair> {
    let key = KeyPair::generate(KeySize::Rsa2048).context("generating an RSA key")?;
    let mut pkcs8 = key.as_der()?.as_ref().to_vec();
    Ok(Keypair::rsa_from_pkcs8(&mut pkcs8)?)
}
