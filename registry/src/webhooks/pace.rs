//! How often: a look at each source at most once a second, and so many refusals in all. Pure; the clock
//! is an argument.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Between two looks at one source.
const PAUSE: Duration = Duration::from_secs(1);
/// So many turns are kept before those that have passed are dropped.
const MAX_TURNS: usize = 1024;
/// So many requests may be refused at once.
const BURST: f64 = 100.0;
/// So many more each second.
const REFILL: f64 = 10.0;

/// When a source that is asked for is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now,
    /// Then.
    At(Instant),
    /// A look that is still to come answers this one too.
    Taken,
}

/// The last turn of each source: it has passed, or is still to come.
#[derive(Default)]
pub struct Pace(HashMap<String, Instant>);

impl Pace {
    /// Asks for a look at `source`.
    pub fn ask(&mut self, source: &str, now: Instant) -> Turn {
        if self.0.len() > MAX_TURNS {
            self.0.retain(|_, last| *last + PAUSE > now);
        }
        let Some(last) = self.0.get_mut(source) else {
            self.0.insert(source.to_owned(), now);
            return Turn::Now;
        };
        if *last > now {
            return Turn::Taken;
        }
        let next = *last + PAUSE;
        if next > now {
            *last = next;
            return Turn::At(next);
        }
        *last = now;
        Turn::Now
    }
}

/// A token bucket.
pub struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            at: now,
        }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let gained = now.duration_since(self.at).as_secs_f64() * REFILL;
        self.left = (self.left + gained).min(BURST);
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_look_now_and_one_after_it() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.ask("a", at(0)), Turn::Now);
        assert_eq!(pace.ask("a", at(10)), Turn::At(at(1000)));
        for millis in 11..1000 {
            assert_eq!(pace.ask("a", at(millis)), Turn::Taken);
        }
        assert_eq!(pace.ask("b", at(500)), Turn::Now);
        // The second look has begun: what comes now may be newer than what it sees.
        assert_eq!(pace.ask("a", at(1000)), Turn::At(at(2000)));
        assert_eq!(pace.ask("a", at(3000)), Turn::Now);
    }

    #[test]
    fn turns_that_have_passed_are_dropped() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for n in 0..5000u64 {
            pace.ask(&n.to_string(), start + Duration::from_secs(n));
        }
        assert!(pace.0.len() <= MAX_TURNS + 1);
    }

    #[test]
    fn refusals_are_bounded_and_come_back() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        assert_eq!((0..1000).filter(|_| budget.take(start)).count(), 100);
        let later = start + Duration::from_secs(2);
        assert_eq!((0..1000).filter(|_| budget.take(later)).count(), 20);
    }
}
