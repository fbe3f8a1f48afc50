//! Colours and signs. What a colour says, a sign or a word says too: a terminal may have none.

use crate::browse::view::Standing;
use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Colours, where nobody said no.
    pub(crate) colours: bool,
    /// Signs beyond ASCII.
    pub(crate) unicode: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What it is about.
    Title,
    /// What matters less.
    Quiet,
    /// What was found.
    Found,
    /// What is right.
    Good,
    /// What deserves a look.
    Care,
    /// What is wrong.
    Bad,
    /// Code, names, values.
    Code,
    /// A link.
    Link,
    /// What is selected, where keys go.
    Selected,
    /// What is selected, where keys do not go.
    Held,
}

impl Look {
    /// How `role` looks.
    pub(crate) fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let colour = |colour: Color| match self.colours {
            true => plain.fg(colour),
            false => plain,
        };
        match role {
            Role::Title => plain.add_modifier(Modifier::BOLD),
            Role::Quiet => plain.add_modifier(Modifier::DIM),
            Role::Found => {
                colour(Color::Yellow).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
            }
            Role::Good => colour(Color::Green),
            Role::Care => colour(Color::Yellow),
            Role::Bad => colour(Color::Red),
            Role::Code => colour(Color::Cyan),
            Role::Link => colour(Color::Blue).add_modifier(Modifier::UNDERLINED),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
            Role::Held => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        }
    }

    /// How the word of a version's standing looks.
    pub(crate) fn standing(self, standing: Standing) -> Style {
        self.style(match standing {
            Standing::Active => Role::Good,
            Standing::Pending | Standing::Deprecated => Role::Care,
            Standing::Failed | Standing::Withdrawn | Standing::Terminating => Role::Bad,
        })
    }

    /// The sign of a version's standing: a full one where a new App may pin it.
    pub(crate) fn sign(self, standing: Standing) -> &'static str {
        match (standing, self.unicode) {
            (Standing::Active, true) => "●",
            (Standing::Active, false) => "*",
            (Standing::Pending, true) => "○",
            (Standing::Pending, false) => "o",
            (Standing::Failed | Standing::Terminating, true) => "✗",
            (Standing::Failed | Standing::Terminating, false) => "x",
            (Standing::Deprecated | Standing::Withdrawn, _) => "!",
        }
    }

    /// The one of two signs that the terminal has.
    pub(crate) fn either(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        match self.unicode {
            true => unicode,
            false => ascii,
        }
    }

    /// A line that parts what stands above and below.
    pub(crate) fn rule(self, width: usize) -> String {
        self.either("─", "-").repeat(width)
    }
}
