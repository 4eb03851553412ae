//! Pseudo-random bytes, the same for the same seed.

use rand::{rngs::SmallRng, Rng as _, SeedableRng as _};

pub struct Pattern(SmallRng);

impl Pattern {
    pub fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    pub fn take(mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes);
        bytes
    }
}
