//! Whole lives of a Group, driven by its plan over plain data: pods are made, become ready, crash,
//! end and go in an order that proptest chooses, the spec changes in between, and what the plan
//! promises must hold at every step.

// Functions beside the tests fail as the tests do.
#![allow(clippy::panic, clippy::unwrap_used)]

use jiff::{SignedDuration, Timestamp};
use operator::group::{
    observe::{Before, Claim, Life, Member, Observed, Versions, Wanted, Whose},
    plan::{Plan, Step, ordinals, plan},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const BROKEN: &str = "broken";

/// What happens to a Group from outside.
#[derive(Clone, Debug)]
enum Event {
    /// The controller reconciles.
    Reconcile,
    /// The controller acts on a plan that it made before the last events: its caches were behind.
    ActLate,
    /// The member at this place becomes ready, unless its revision is broken.
    BecomeReady(usize),
    /// It is not ready any more.
    Crash(usize),
    /// It ends for good.
    End(usize),
    /// Somebody deletes it.
    Delete(usize),
    /// A terminating one is gone.
    Go(usize),
    /// Another revision is wanted.
    Revise(&'static str),
    /// Another number of members, with reserved ordinals.
    Scale(u32, Vec<u32>),
    /// The operator starts again and finds the status empty.
    LoseStatus,
}

fn event() -> impl Strategy<Value = Event> {
    let place = 0..5_usize;
    prop_oneof![
        12 => Just(Event::Reconcile),
        2 => Just(Event::ActLate),
        8 => place.clone().prop_map(Event::BecomeReady),
        1 => place.clone().prop_map(Event::Crash),
        1 => place.clone().prop_map(Event::End),
        1 => place.clone().prop_map(Event::Delete),
        6 => place.prop_map(Event::Go),
        2 => prop_oneof![Just("a"), Just("b"), Just("c"), Just(BROKEN)].prop_map(Event::Revise),
        1 => (0..5_u32, prop::collection::vec(0..5_u32, 0..3)).prop_map(|(n, r)| Event::Scale(n, r)),
        1 => Just(Event::LoseStatus),
    ]
}

struct World {
    observed: Observed,
    now: Timestamp,
    made: u32,
    before: Option<(Observed, Plan)>,
}

impl World {
    fn new(roles: bool, parallel: bool) -> Self {
        let roles = if roles {
            vec!["primary", "replica"]
        } else {
            vec![]
        };
        let wanted = Wanted {
            name: "orders-redis-0".to_owned(),
            replicas: 3,
            reserved: Vec::new(),
            revision: "a".to_owned(),
            content_revision: "x".to_owned(),
            config_revision: "config".into(),
            versions: Versions::default(),
            roles: roles.into_iter().map(|r| r.parse().unwrap()).collect(),
            volumes: vec!["data".parse().unwrap()],
            start: match parallel {
                true => api::crd::group::StartOrder::Parallel,
                false => api::crd::group::StartOrder::Ordered,
            },
            suspend: false,
            deleting: false,
        };
        Self {
            observed: Observed {
                wanted,
                before: Before::default(),
                record: None,
                in_the_way: Default::default(),
                claims: Default::default(),
                members: Vec::new(),
            },
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            made: 0,
            before: None,
        }
    }

    fn happens(&mut self, event: Event) {
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
        match event {
            Event::Reconcile => self.reconcile(),
            Event::ActLate => {
                if let Some((_, plan)) = self.before.take() {
                    self.act(plan);
                }
            }
            // A replica serves only behind a leader that does.
            Event::BecomeReady(place) => {
                let leader = self.member(0).is_some_and(Member::is_ready);
                let leads = self.observed.wanted.roles.is_empty() || leader;
                self.change(place, |m, _| {
                    if m.is_alive() && m.revision != BROKEN && (leads || m.ordinal == 0) {
                        m.life = Life::Ready;
                    }
                });
            }
            Event::Crash(place) => self.change(place, |m, now| {
                if m.is_alive() {
                    m.life = Life::NotReady {
                        since: now,
                        stuck: false,
                    };
                }
            }),
            Event::End(place) => self.change(place, |m, now| {
                if m.is_alive() {
                    m.life = Life::Finished { made: now };
                }
            }),
            Event::Delete(place) => self.change(place, |m, now| {
                if !m.is_terminating() {
                    m.life = Life::Terminating { until: now };
                }
            }),
            Event::Go(place) => {
                if self
                    .observed
                    .members
                    .get(place)
                    .is_some_and(Member::is_terminating)
                {
                    self.observed.members.remove(place);
                }
            }
            Event::Revise(revision) => self.observed.wanted.revision = revision.to_owned(),
            Event::Scale(replicas, reserved) => {
                self.observed.wanted.replicas = replicas;
                self.observed.wanted.reserved = reserved;
            }
            Event::LoseStatus => self.observed.before = Before::default(),
        }
    }

    /// Every change of a pod has a resourceVersion of its own.
    fn change(&mut self, place: usize, how: impl Fn(&mut Member, Timestamp)) {
        self.made += 1;
        if let Some(member) = self.observed.members.get_mut(place) {
            how(member, self.now);
            member.resource_version = self.made.to_string();
        }
    }

    fn reconcile(&mut self) {
        let plan = plan(&self.observed, self.now);
        self.holds(&plan);
        self.before = Some((self.observed.clone(), plan.clone()));
        self.act(plan);
    }

    /// What a plan promises, whatever there is.
    fn holds(&self, plan: &Plan) {
        let wanted = ordinals::wanted(&self.observed.wanted);
        let healthy = |o: u32| self.member(o).is_some_and(Member::is_ready);
        let taken: Vec<u32> = plan.steps.iter().filter_map(deleted).collect();
        let down: Vec<u32> = taken.iter().copied().filter(|o| healthy(*o)).collect();
        assert!(down.len() <= 1, "takes down {down:?}: {plan:#?}");
        let going = self.observed.members.iter().any(Member::is_terminating);
        for ordinal in down {
            assert!(!going, "takes down a second one: {plan:#?}");
            if wanted.contains(&ordinal) {
                assert!(
                    wanted.iter().all(|o| healthy(*o)),
                    "a second one: {plan:#?}"
                );
                let old =
                    |o: &&u32| self.member(**o).unwrap().revision != self.observed.wanted.revision;
                let roles = !self.observed.wanted.roles.is_empty();
                let others = wanted.iter().filter(old).any(|o| *o != 0);
                assert!(
                    !(roles && ordinal == 0 && others),
                    "the leader is last: {plan:#?}"
                );
            }
        }
        let made = plan
            .steps
            .iter()
            .any(|s| matches!(s, Step::CreateMember { .. }));
        let ended = |o: &u32| {
            self.member(*o)
                .is_some_and(|m| matches!(m.life, Life::Finished { .. }))
        };
        assert!(
            !made || taken.iter().all(ended),
            "makes and takes: {plan:#?}"
        );
        for step in &plan.steps {
            if let Step::CreateMember { ordinal } = step {
                assert!(wanted.contains(ordinal) && self.member(*ordinal).is_none());
            }
        }
    }

    fn member(&self, ordinal: u32) -> Option<&Member> {
        self.observed.members.iter().find(|m| m.ordinal == ordinal)
    }

    /// What the API server makes of the plan: names are unique, preconditions hold.
    fn act(&mut self, plan: Plan) {
        let verdict = plan.verdict;
        for step in plan.steps {
            match step {
                Step::CreateRecord { bootstrap } => {
                    let fresh = self.observed.members.is_empty() && self.observed.claims.is_empty();
                    assert!(fresh || !bootstrap || self.observed.record.is_some());
                    self.observed.record = Some(Whose::Ours);
                }
                Step::CreateClaim { ordinal, volume } => {
                    let name = format!("{volume}-orders-redis-0-{ordinal}");
                    self.observed.claims.insert(name, Claim::Ours);
                }
                Step::CreateMember { ordinal } if self.member(ordinal).is_none() => {
                    let member = self.pod(ordinal);
                    self.observed.members.push(member);
                    self.observed.members.sort_by_key(|m| m.ordinal);
                }
                Step::CreateMember { .. } | Step::PatchMember { .. } => {}
                Step::DeleteMember {
                    uid,
                    resource_version,
                    ..
                } => {
                    let now = self.now;
                    let members = self.observed.members.iter_mut();
                    for member in
                        members.filter(|m| m.uid == uid && m.resource_version == resource_version)
                    {
                        member.life = Life::Terminating { until: now };
                    }
                }
            }
        }
        let wanted = ordinals::wanted(&self.observed.wanted);
        let started = self.observed.before.started.intersection(&wanted).copied();
        let there = self.observed.members.iter().map(|m| m.ordinal);
        let started: BTreeSet<u32> = started.chain(there).collect();
        self.observed.before = Before {
            phase: Some(verdict.phase),
            reason: verdict.reason.as_str().to_owned(),
            started,
        };
    }

    fn pod(&mut self, ordinal: u32) -> Member {
        self.made += 1;
        let role = if ordinal == 0 { "primary" } else { "replica" };
        Member {
            ordinal,
            uid: format!("pod-{}", self.made),
            resource_version: self.made.to_string(),
            revision: self.observed.wanted.revision.clone(),
            content_revision: self.observed.wanted.content_revision.clone(),
            config_revision: self.observed.wanted.config_revision.clone(),
            versions: self.observed.wanted.versions.clone(),
            role: Some(role.parse().unwrap()),
            life: Life::NotReady {
                since: self.now,
                stuck: false,
            },
            message: String::new(),
        }
    }

    /// Everything that can become ready does, everything that goes is gone, until nothing changes.
    fn settle(&mut self) -> usize {
        for round in 0..200 {
            let places = self.observed.members.len();
            for place in 0..places {
                self.happens(Event::BecomeReady(place));
            }
            for place in (0..places).rev() {
                self.happens(Event::Go(place));
            }
            self.reconcile();
            if plan(&self.observed, self.now).verdict.ready {
                return round;
            }
        }
        panic!("never comes to rest: {:#?}", self.observed);
    }
}

fn deleted(step: &Step) -> Option<u32> {
    match step {
        Step::DeleteMember { ordinal, .. } => Some(*ordinal),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_and_every_life_ends_at_rest(
        roles: bool,
        parallel: bool,
        events in prop::collection::vec(event(), 0..120),
    ) {
        let mut world = World::new(roles, parallel);
        for event in events {
            world.happens(event);
        }
        // A person mends what is broken, and from there on it finishes by itself.
        world.happens(Event::Revise("d"));
        world.settle();
        let observed = &world.observed;
        let rest = plan(observed, world.now);
        prop_assert_eq!(rest.steps, Vec::<Step>::new());
        let there: BTreeSet<u32> = observed.members.iter().map(|m| m.ordinal).collect();
        prop_assert_eq!(there, ordinals::wanted(&observed.wanted));
        prop_assert!(observed.members.iter().all(|m| m.is_ready() && m.revision == "d"));
        prop_assert!(observed.record.is_some() || observed.wanted.roles.is_empty());
    }

    #[test]
    fn wanted_ordinals_are_the_first_that_are_not_reserved(
        replicas in 0..40_u32,
        reserved in prop::collection::vec(0..60_u32, 0..30),
    ) {
        let ordinals = ordinals::first(replicas, &reserved);
        prop_assert_eq!(ordinals.len(), replicas as usize);
        prop_assert!(ordinals.iter().all(|o| !reserved.contains(o)));
        let last = ordinals.last().copied().unwrap_or(0);
        prop_assert!((0..last).all(|o| ordinals.contains(&o) || reserved.contains(&o)));
    }

    #[test]
    fn precise_scale_in_removes_that_ordinal_and_no_other(
        replicas in 1..20_u32,
        reserved in prop::collection::vec(0..30_u32, 0..10),
        which in 0..20_usize,
    ) {
        let before = ordinals::first(replicas, &reserved);
        let gone = *before.iter().nth(which % before.len()).unwrap();
        let mut more = reserved;
        more.push(gone);
        let mut after = before.clone();
        after.remove(&gone);
        prop_assert_eq!(ordinals::first(replicas - 1, &more), after);
    }
}
