//! Whatever the orders are: every App gets there, and one that comes later never begins before.

use super::*;
use api::crd::app::AppComponent;
use proptest::prelude::*;
use serde_json::json;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn pin(version: &str) -> Pin {
    serde_json::from_value(json!({
        "pluginVersion": version,
        "digest": format!("sha256:{}", "a".repeat(64)),
        "runtimeVersion": "7.0.15",
        "topology": "all",
    }))
    .unwrap()
}

/// An App, its Components and their Groups, and who acted in which order.
struct World {
    observed: Observed,
    acted: Vec<ComponentName>,
}

impl World {
    fn new(orders: Orders) -> Self {
        let mut observed: Observed = serde_json::from_value(json!({
            "name": "app", "namespace": "team", "spec": {"plugin": "p", "pluginVersion": "1.0.0"},
            "shape": {"topologies": []},
        }))
        .unwrap();
        observed.shape.as_mut().unwrap().orders = orders;
        Self {
            observed,
            acted: Vec::new(),
        }
    }

    /// What the App controller does: everything that is wanted is applied at once.
    fn apply(&mut self, pin: &Pin, replicas: u32) {
        let spec = |name: &&str| ComponentSpec {
            app: "app".parse().unwrap(),
            component: name.parse().unwrap(),
            plugin: "p".parse().unwrap(),
            pin: pin.clone(),
            profile: None,
            settings: AppComponent {
                replicas: Some(replicas),
                ..AppComponent::default()
            },
            optional: Vec::new(),
            hold: false,
        };
        let mut wanted: Vec<ComponentSpec> = NAMES.iter().map(spec).collect();
        hold(&self.observed, pin, &mut wanted);
        for spec in wanted {
            let children = &mut self.observed.components;
            match children
                .iter_mut()
                .find(|c| c.spec.component == spec.component)
            {
                Some(child) if child.spec != spec => {
                    child.spec = spec;
                    child.generation = child.generation.map(|generation| generation + 1);
                }
                Some(_) => {}
                None => children.push(Child {
                    name: spec.component.to_string(),
                    spec,
                    status: Default::default(),
                    generation: Some(1),
                }),
            }
        }
    }

    /// What the Component controller does with the one at `place`: it looks, acts, or gets there.
    fn step(&mut self, place: usize) {
        let Some(child) = self.observed.components.get_mut(place) else {
            return;
        };
        let name = child.spec.component.clone();
        let groups = &mut self.observed.groups;
        let made = groups.iter_mut().find(|group| group.component == name);
        child.status.observed_generation = child.generation;
        if child.spec.hold {
            let phase = made.map_or(AppPhase::Creating, |_| AppPhase::Updating);
            child.status.phase = Some(phase);
            return;
        }
        let replicas = child.spec.settings.replicas.unwrap_or(1);
        let pin = Some(child.spec.pin.clone());
        let phase = match made {
            None => {
                groups.push(Nodes {
                    name: name.to_string(),
                    component: name.clone(),
                    pin,
                    replicas,
                    reserved: Vec::new(),
                    config_revision: String::new(),
                    members: Vec::new(),
                });
                AppPhase::Creating
            }
            Some(group) if group.pin == pin && group.replicas == replicas => {
                child.status.phase = Some(AppPhase::Running);
                return;
            }
            Some(group) => {
                group.pin = pin;
                group.replicas = replicas;
                AppPhase::Updating
            }
        };
        self.acted.push(name);
        child.status.phase = Some(phase);
    }

    fn is_done(&self, pin: &Pin, replicas: u32) -> bool {
        let rests = |child: &Child| {
            let looked = child.status.observed_generation == child.generation;
            looked && !child.spec.hold && child.status.phase == Some(AppPhase::Running)
        };
        let groups = &self.observed.groups;
        groups.len() == NAMES.len()
            && groups
                .iter()
                .all(|g| g.pin.as_ref() == Some(pin) && g.replicas == replicas)
            && self.observed.components.iter().all(rests)
    }

    /// Runs until nothing is left to do, with the Components in any order; who acted, in order.
    fn run(&mut self, pin: &Pin, replicas: u32, steps: &[usize]) -> Vec<ComponentName> {
        self.acted.clear();
        self.observed.generation = Some(self.observed.generation.unwrap_or(0) + 1);
        let rest = (0..40).flat_map(|_| 0..NAMES.len());
        for place in steps.iter().copied().chain(rest) {
            self.apply(pin, replicas);
            self.step(place);
            if self.is_done(pin, replicas) {
                break;
            }
        }
        for child in &self.observed.components {
            assert_eq!(child.status.phase, Some(AppPhase::Running), "{child:?}");
            assert!(!child.spec.hold, "{child:?}");
        }
        for group in &self.observed.groups {
            assert_eq!((group.pin.as_ref(), group.replicas), (Some(pin), replicas));
        }
        self.acted.clone()
    }
}

/// Whether those of `acted` that are in `order` acted in it.
fn kept(acted: &[ComponentName], order: &[ComponentName]) -> bool {
    let places = acted
        .iter()
        .filter_map(|name| order.iter().position(|o| o == name));
    let places: Vec<usize> = places.collect();
    places.is_sorted()
}

fn order() -> impl Strategy<Value = Vec<ComponentName>> {
    let names: Vec<ComponentName> = NAMES.iter().map(|name| name.parse().unwrap()).collect();
    proptest::sample::subsequence(names, 0..=NAMES.len()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_change_gets_there_in_its_order(
        provision in order(),
        update in order(),
        upgrade in order(),
        steps in proptest::collection::vec(0..NAMES.len(), 0..40),
    ) {
        let orders = Orders { provision, update, upgrade };
        let mut world = World::new(orders.clone());
        let acted = world.run(&pin("1.0.0"), 1, &steps);
        prop_assert!(kept(&acted, &orders.provision), "{acted:?}");
        prop_assert_eq!(acted.len(), NAMES.len());
        let acted = world.run(&pin("1.1.0"), 1, &steps);
        prop_assert!(kept(&acted, &orders.upgrade), "{acted:?}");
        prop_assert_eq!(acted.len(), NAMES.len());
        let acted = world.run(&pin("1.1.0"), 2, &steps);
        prop_assert!(kept(&acted, &orders.update), "{acted:?}");
        prop_assert_eq!(acted.len(), NAMES.len());
    }

    #[test]
    fn an_upgrade_in_the_middle_of_anything_gets_there(
        provision in order(),
        update in order(),
        upgrade in order(),
        cut in proptest::collection::vec(0..NAMES.len(), 0..12),
    ) {
        let mut world = World::new(Orders { provision, update, upgrade });
        for place in cut {
            world.apply(&pin("1.0.0"), 1);
            world.step(place);
        }
        world.run(&pin("1.1.0"), 2, &[]);
        world.run(&pin("1.1.0"), 3, &[]);
    }
}
