//! What differs between two renderings: of two versions for one App, or of one version for two.

use super::{
    super::{
        diff,
        made::{Change, Made, Outcome},
    },
    Rendered,
};
use crate::output::Paint;
use api::names::ComponentName;
use serde::Serialize;

/// What differs from something before.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    /// The unified diff from the files there to these.
    diff: String,
    /// What differs in parameters.
    changes: Vec<Change>,
    /// How the members come from an App of the same version to this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    effects: Vec<Effect>,
}

/// How the members of a component come to what they shall be.
#[derive(Debug, Serialize)]
struct Effect {
    component: ComponentName,
    effect: Outcome,
}

impl Difference {
    /// What differs from `before` to `after`.
    ///
    /// # Errors
    /// None; a serializer has the last word.
    pub(super) fn between(
        before: &Rendered,
        after: &Rendered,
        is_same_version: bool,
    ) -> anyhow::Result<Self> {
        let same = |made: &Made| {
            let mut others = before.components.iter();
            others.find(|other| other.name() == made.name())
        };
        let mut effects = Vec::new();
        for made in after.components.iter().filter(|_| is_same_version) {
            let effect = same(made).and_then(|before| made.effect(before));
            effects.extend(effect.map(|effect| Effect {
                component: made.name().clone(),
                effect,
            }));
        }
        let changes = after.components.iter();
        let changes = changes.flat_map(|made| made.changes(same(made)));
        Ok(Self {
            diff: diff::unified(&before.files()?, &after.files()?),
            changes: changes.collect(),
            effects,
        })
    }

    /// The diff, the parameters, and what it means for members.
    pub(super) fn text(&self, paint: Paint) -> String {
        let mut text = match self.diff.is_empty() {
            true => "nothing differs\n".to_owned(),
            false => diff::painted(&self.diff, paint),
        };
        if !self.changes.is_empty() {
            text.push_str("\nparameters:\n");
        }
        for change in &self.changes {
            text.push_str(&format!("  {}", change.text()));
        }
        if !self.effects.is_empty() && !self.diff.is_empty() {
            text.push('\n');
            let effects = self.effects.iter();
            text.extend(effects.map(|effect| effect.text(paint)));
        }
        text
    }
}

impl Effect {
    fn text(&self, paint: Paint) -> String {
        let what = match self.effect {
            Outcome::Nothing => "running members stay as they are",
            Outcome::InPlace => "members read it again where they run, by the action `reload`",
            Outcome::Restart => "members restart, one after the other",
        };
        format!("{}: {what}\n", paint.bold(self.component.as_str()))
    }
}
