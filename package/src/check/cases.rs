//! Whether the addon works with nothing but its own defaults: for every topology, every runtime
//! version, without a profile and with each, with and without the optional components. The schemas
//! accept the defaults, the configuration files render, the further objects are such.

use super::{Package, Refusal, document::Node, memo::Memo, syntax};
use crate::{
    Evaluate, Finding, Manifest, ValidateError, Violation, defaults,
    manifest::{FILE, Topology},
    parameters,
    render::{self, Context, Instance, RenderError},
    tree,
};
use api::{
    Version,
    crd::app::AppComponent,
    names::{ComponentName, ProfileName, TopologyName},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of the configuration files of one component: two revisions of them stand in one
/// ConfigMap.
const MAX_CONFIG_BYTES: usize = 450 << 10;
/// The most cases.
const MAX_CASES: usize = 1024;
/// The most templates that are rendered in all cases together: each may take all of its fuel.
const MAX_RENDERED: usize = 8192;
/// The most schemas that are read in all cases together, likewise.
const MAX_VALIDATED: usize = 512;

/// What an App may be that sets nothing else.
struct Case {
    topology: TopologyName,
    runtime: Version,
    profile: Option<ProfileName>,
    /// The optional components that are enabled.
    enabled: Vec<ComponentName>,
}

/// Everything that is wrong in any case. Of an addon whose manifest is `spoiled`, in what templates see,
/// only what its schemas and templates are at fault for by themselves.
pub(super) fn check(
    package: &Package,
    document: &Node,
    spoiled: bool,
    evaluate: &dyn Evaluate,
) -> Result<Vec<Finding>, Refusal> {
    let cases = cases(&package.manifest);
    if let Some(message) = too_many(&package.manifest, &cases) {
        return Ok(vec![document.key("topologies").finding(message)]);
    }
    let (package, mut findings) = syntax::check(package, evaluate)?;
    let check = Check {
        package: &package,
        document,
        evaluate: Memo::new(evaluate),
    };
    if spoiled {
        findings.extend(check.schemas()?);
        return Ok(findings);
    }
    let mut found = BTreeMap::<Finding, BTreeSet<usize>>::new();
    for (position, case) in cases.iter().enumerate() {
        for finding in check.findings(case)? {
            found.entry(finding).or_default().insert(position);
        }
    }
    let found = found.into_iter();
    findings.extend(found.map(|(finding, within)| told(finding, &within, &cases)));
    Ok(findings)
}

/// What there is too much of for a verdict in reasonable time.
fn too_many(manifest: &Manifest, cases: &[Case]) -> Option<String> {
    let components = |topology| {
        let topology = manifest.topology(topology);
        let names = topology
            .into_iter()
            .flat_map(|topology| topology.components.into_keys());
        names.filter_map(|name| manifest.components.get(&name))
    };
    let rendered = cases.iter().flat_map(|case| components(&case.topology));
    let rendered = rendered
        .map(|component| component.config.len() + component.objects.len())
        .sum();
    let schemas = manifest
        .components
        .values()
        .filter(|component| !component.schema.is_empty());
    let validated = schemas.count() * manifest.runtimes.len() * (manifest.profiles.len() + 1);
    let counts = [
        ("cases", cases.len(), MAX_CASES),
        ("templates to render", rendered, MAX_RENDERED),
        ("schemas to read", validated, MAX_VALIDATED),
    ];
    let (what, is, most) = counts.into_iter().find(|(_, is, most)| is > most)?;
    Some(format!(
        "topologies, runtimes, profiles and optional components make {is} {what}, and at most {most} \
         are allowed; take away what nobody needs"
    ))
}

fn cases(manifest: &Manifest) -> Vec<Case> {
    let profiles = manifest.profile_names().into_iter().map(Some);
    let profiles: Vec<Option<ProfileName>> = std::iter::once(None).chain(profiles).collect();
    let mut cases = Vec::new();
    for topology in manifest.topologies() {
        for runtime in manifest.runtime_versions() {
            for profile in &profiles {
                cases.extend(with_and_without(&topology).map(|enabled| Case {
                    topology: topology.name.clone(),
                    runtime: runtime.clone(),
                    profile: profile.clone(),
                    enabled,
                }));
            }
        }
    }
    cases
}

/// No optional component, and all of them where there are any.
fn with_and_without(topology: &Topology) -> impl Iterator<Item = Vec<ComponentName>> {
    let optional = topology
        .components
        .iter()
        .filter(|(_, members)| members.optional);
    let optional: Vec<ComponentName> = optional.map(|(name, _)| name.clone()).collect();
    let all = (!optional.is_empty()).then_some(optional);
    std::iter::once(Vec::new()).chain(all)
}

struct Check<'a> {
    package: &'a Package,
    document: &'a Node,
    evaluate: Memo<'a>,
}

impl Check<'_> {
    /// Everything that is wrong in one case.
    fn findings(&self, case: &Case) -> Result<Vec<Finding>, Refusal> {
        let instance = instance(case)?;
        let refused = self.parameters(case, &instance)?;
        if !refused.is_empty() {
            return Ok(refused);
        }
        let context = match Context::new(self.package, &instance, &self.evaluate) {
            Ok(context) => context,
            Err(RenderError::NotJudged { reason }) => return Err(Refusal::NotJudged { reason }),
            Err(error) => return Ok(vec![whole(FILE, error.to_string())]),
        };
        let mut findings = Vec::new();
        for name in context.components() {
            findings.extend(self.rendered(name, &context).map_err(not_judged)?);
        }
        Ok(findings)
    }

    /// What the schemas refuse.
    fn parameters(&self, case: &Case, instance: &Instance) -> Result<Vec<Finding>, Refusal> {
        let manifest = &self.package.manifest;
        let none = AppComponent::default();
        let mut findings = Vec::new();
        for name in manifest.components.keys() {
            let own = instance.components.get(name).unwrap_or(&none);
            let profile = case.profile.as_ref();
            let settings = defaults::in_force(manifest, &case.topology, profile, name, own);
            if settings.enabled != Some(true) {
                continue;
            }
            let set = &settings.config.parameters;
            findings.extend(self.judged(name, &case.runtime, profile, set)?);
        }
        Ok(findings)
    }

    /// What the schemas refuse of their own, those of them whose every file is there.
    fn schemas(&self) -> Result<Vec<Finding>, Refusal> {
        let manifest = &self.package.manifest;
        let mut findings = Vec::new();
        for (name, component) in &manifest.components {
            let mut files = component.schema.iter().map(|schema| &schema.file);
            if !files.all(|file| is_schema(self.package, file)) {
                continue;
            }
            for runtime in manifest.runtime_versions() {
                findings.extend(self.judged(name, &runtime, None, &Map::new())?);
            }
        }
        Ok(findings)
    }

    /// What the schema of a component says of itself, and of what the profile sets.
    fn judged(
        &self,
        component: &ComponentName,
        runtime: &Version,
        profile: Option<&ProfileName>,
        set: &Map<String, Value>,
    ) -> Result<Vec<Finding>, Refusal> {
        match parameters::parameters(self.package, runtime, component, set, &self.evaluate) {
            Ok(_) => Ok(Vec::new()),
            Err(ValidateError::Schema(faults)) => Ok(faults),
            Err(ValidateError::Values(violations)) => Ok(violations
                .iter()
                .map(|violation| self.refused(profile, component, violation))
                .collect()),
            Err(ValidateError::Unavailable { reason }) => Err(Refusal::NotJudged { reason }),
        }
    }

    /// A value that the schema refuses, where it is set: in the profile, else in the schema itself.
    fn refused(
        &self,
        profile: Option<&ProfileName>,
        component: &ComponentName,
        violation: &Violation,
    ) -> Finding {
        let first = violation
            .parameter
            .split(['.', '['])
            .next()
            .unwrap_or_default();
        let at = self.set_by(profile, component, first);
        if let Some(at) = at {
            return at.finding(format!(
                "the schema refuses what the profile sets: {violation}"
            ));
        }
        let schema = self.document.key("components").key(component).key("schema");
        let unplaced = Violation {
            rule: None,
            ..violation.clone()
        };
        let message = format!(
            "the schema refuses its own defaults: {unplaced}; give the parameter a default that fits, \
             or none with `?`"
        );
        match &violation.rule {
            Some(rule) => Finding {
                file: rule.file.clone(),
                line: Some(rule.line),
                column: Some(rule.column),
                message,
            },
            None => schema.finding(message),
        }
    }

    /// Where the profile sets `parameter`.
    fn set_by(
        &self,
        profile: Option<&ProfileName>,
        component: &ComponentName,
        parameter: &str,
    ) -> Option<&Node> {
        let mut profiles = self.package.manifest.profiles.iter();
        let index = profiles.position(|declared| Some(&declared.name) == profile)?;
        let profile = self.document.key("profiles").index(index);
        profile.at(&["components", component.as_str(), "parameters", parameter])
    }

    /// What does not render, or not to what it must.
    fn rendered(
        &self,
        name: &ComponentName,
        context: &Context,
    ) -> Result<Vec<Finding>, RenderError> {
        let (files, mut findings) = render::config(self.package, name, context, &self.evaluate)?;
        let bytes: usize = files.values().map(String::len).sum();
        if bytes > MAX_CONFIG_BYTES {
            let message = format!(
                "the configuration files of `{name}` have {bytes} bytes, and at most \
                 {MAX_CONFIG_BYTES} are allowed"
            );
            findings.push(whole(FILE, message));
        }
        let (_, faults) = render::all_objects(self.package, name, context, &self.evaluate)?;
        findings.extend(faults);
        Ok(findings)
    }
}

/// Whether `file` is there and may be CUE.
fn is_schema(package: &Package, file: &str) -> bool {
    let bytes = package.tree.get(&format!("{}{file}", tree::SCHEMA_PREFIX));
    file.ends_with(".cue") && bytes.is_some_and(|bytes| std::str::from_utf8(bytes).is_ok())
}

/// The App of the case.
fn instance(case: &Case) -> Result<Instance, Refusal> {
    let app = "app".parse().map_err(|error| Refusal::NotJudged {
        reason: format!("{error}"),
    })?;
    let on = AppComponent {
        enabled: Some(true),
        ..AppComponent::default()
    };
    let enabled = case.enabled.iter();
    Ok(Instance {
        app,
        namespace: "default".to_owned(),
        topology: case.topology.clone(),
        profile: case.profile.clone(),
        runtime: case.runtime.clone(),
        components: enabled.map(|name| (name.clone(), on.clone())).collect(),
    })
}

fn not_judged(error: RenderError) -> Refusal {
    let reason = match error {
        RenderError::NotJudged { reason } => reason,
        other => other.to_string(),
    };
    Refusal::NotJudged { reason }
}

/// The finding, with the cases in which it was found unless those are all.
fn told(mut finding: Finding, within: &BTreeSet<usize>, cases: &[Case]) -> Finding {
    if within.len() < cases.len()
        && let Some(common) = common(within, cases)
    {
        finding.message = format!("{} ({common})", finding.message);
    }
    finding
}

/// What the cases `within` have in common and no other case has, in as few words as that takes; where
/// there is nothing, the first of them.
fn common(within: &BTreeSet<usize>, cases: &[Case]) -> Option<String> {
    let all: Vec<[Option<String>; 4]> = cases.iter().map(Case::words).collect();
    let first = all.get(*within.first()?)?;
    let mut choices: Vec<u32> = (1..16).collect();
    choices.sort_by_key(|choice| choice.count_ones());
    let chosen = |choice: u32, i: usize| choice & (1 << i) != 0;
    let alike = |choice: u32, words: &[Option<String>; 4]| {
        (0..4).all(|i| !chosen(choice, i) || words.get(i) == first.get(i))
    };
    let exact = choices.into_iter().find(|choice| {
        let mut positions = all.iter().enumerate();
        positions.all(|(position, words)| alike(*choice, words) == within.contains(&position))
    });
    let choice = exact.unwrap_or(15);
    let words = first.iter().enumerate().filter(|(i, _)| chosen(choice, *i));
    let words: Vec<&str> = words.filter_map(|(_, word)| word.as_deref()).collect();
    Some(words.join(", ")).filter(|words| !words.is_empty())
}

fn whole(file: &str, message: String) -> Finding {
    Finding {
        file: file.to_owned(),
        line: None,
        column: None,
        message,
    }
}

impl Case {
    /// What is chosen: topology, runtime, profile, optional components; nothing where nothing is.
    fn words(&self) -> [Option<String>; 4] {
        let enabled = || format!("with {}", super::listed(&self.enabled));
        [
            Some(format!("topology {}", self.topology)),
            Some(format!("runtime {}", self.runtime)),
            self.profile
                .as_ref()
                .map(|profile| format!("profile {profile}")),
            (!self.enabled.is_empty()).then(enabled),
        ]
    }
}
