//! The command line: words in their order, options anywhere among them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use anyhow::{bail, ensure, Context as _, Result};
use libp2p::Multiaddr;
use pico_args::Arguments;

use crate::{
    cases::{Case, Target},
    host::Identity,
    relaying::Terms,
};

pub enum Command {
    Listen { identity: Identity, ip: IpAddr },
    ListenThrough { identity: Identity, ip: IpAddr, relay: Multiaddr },
    Relay { identity: Identity, ip: IpAddr, terms: Terms },
    Dial { target: Target, case: Case },
    Hold { target: Target, connections: usize, streams: usize },
    TransportTest,
    HolePunchTest,
}

/// The options of the cases and of the relay; each is a number.
const NUMBERS: [&str; 12] = [
    "--bytes",
    "--connections",
    "--count",
    "--download",
    "--lifetime",
    "--limit-bytes",
    "--limit-seconds",
    "--parallel",
    "--patience",
    "--seconds",
    "--streams",
    "--upload",
];

pub fn parse() -> Result<Command> {
    let mut args = Arguments::from_env();
    let identity = Identity {
        security: args.opt_value_from_str("--security")?.unwrap_or_default(),
        key: args.opt_value_from_str("--key")?.unwrap_or_default(),
    };
    let ip = args.opt_value_from_fn("--ip", address_of)?;
    let through: Option<Multiaddr> = args.opt_value_from_str("--relay")?;
    let mut numbers = Numbers::parse(&mut args)?;
    let word: String = args.free_from_str().context(
        "usage: peer listen | peer dial ADDRESS CASE | peer relay | peer transport-test | \
             peer hole-punch-test",
    )?;
    ensure!(through.is_none() || word == "listen", "--relay is for listen");
    let ip_or_loopback = ip.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let command = match word.as_str() {
        "listen" => match through {
            Some(relay) => Command::ListenThrough { identity, ip: ip_or_loopback, relay },
            None => Command::Listen { identity, ip: ip_or_loopback },
        },
        "relay" => {
            let terms = Terms {
                lifetime: numbers.take("--lifetime", 3600)?,
                limit_seconds: numbers.take("--limit-seconds", 0)?,
                limit_bytes: numbers.take("--limit-bytes", 0)?,
            };
            Command::Relay { identity, ip: ip_or_loopback, terms }
        }
        "dial" => {
            ensure!(ip.is_none(), "--ip is for who listens: the address of dial has one");
            let address: Multiaddr = args.free_from_str().context("dial needs an address")?;
            let name: String = args.free_from_str().context("dial needs a case")?;
            dial(Target { address, identity }, &name, &mut numbers)?
        }
        "transport-test" => Command::TransportTest,
        "hole-punch-test" => Command::HolePunchTest,
        _ => bail!(
            "no command {word:?}; there are listen, dial, relay, transport-test and hole-punch-test"
        ),
    };
    numbers.ensure_all_taken(&word)?;
    let rest = args.finish();
    ensure!(rest.is_empty(), "what is {rest:?}?");
    Ok(command)
}

fn address_of(version: &str) -> Result<IpAddr> {
    match version {
        "4" => Ok(Ipv4Addr::LOCALHOST.into()),
        "6" => Ok(IpAddr::from_str("::1")?),
        "any" => Ok(Ipv4Addr::UNSPECIFIED.into()),
        _ => bail!("no IP version {version:?}; there are 4, 6 and any"),
    }
}

fn dial(target: Target, name: &str, numbers: &mut Numbers) -> Result<Command> {
    Ok(match name {
        "hold" => Command::Hold {
            target,
            connections: numbers.take("--connections", 1)?,
            streams: numbers.take("--streams", 1)?,
        },
        _ => Command::Dial { target, case: case(name, numbers)? },
    })
}

fn case(name: &str, numbers: &mut Numbers) -> Result<Case> {
    Ok(match name {
        "ping" => Case::Ping { count: numbers.take("--count", 5)? },
        "identify" => Case::Identify,
        "push" => Case::Push,
        "echo" => Case::Echo { bytes: numbers.take("--bytes", 64 << 20)? },
        "half-close" => Case::HalfClose,
        "reset" => Case::Reset,
        "streams" => Case::Streams { count: numbers.take("--count", 500)? },
        "perf" => Case::Perf {
            upload: numbers.take("--upload", 0)?,
            download: numbers.take("--download", 0)?,
        },
        "connects" => Case::Connects { count: numbers.take("--count", 10)? },
        "rate" => Case::Rate {
            seconds: numbers.take("--seconds", 5)?,
            parallel: numbers.take("--parallel", 4)?,
        },
        "circuit" => Case::Circuit {
            bytes: numbers.take("--bytes", 1024)?,
            patience: numbers.take("--patience", 0)?,
        },
        _ => bail!("no case {name:?}"),
    })
}

struct Numbers(BTreeMap<&'static str, u64>);

impl Numbers {
    fn parse(args: &mut Arguments) -> Result<Self> {
        let mut given = BTreeMap::new();
        for name in NUMBERS {
            if let Some(number) = args.opt_value_from_str(name)? {
                given.insert(name, number);
            }
        }
        Ok(Self(given))
    }

    fn take<N: TryFrom<u64>>(&mut self, name: &str, default: u64) -> Result<N> {
        let number = self.0.remove(name).unwrap_or(default);
        N::try_from(number).ok().with_context(|| format!("{name} {number} is too much"))
    }

    fn ensure_all_taken(&self, word: &str) -> Result<()> {
        match self.0.keys().next() {
            Some(name) => bail!("{name} is no option of this {word}"),
            None => Ok(()),
        }
    }
}
