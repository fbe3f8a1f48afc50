//! The files of a new addon: complete enough to be valid, small enough to be read at once.

use api::{
    Version,
    names::{ComponentName, CredentialName, PluginName, RoleName},
};
use std::fmt::Write as _;

/// The component of a plugin whose name is none for a component.
const COMPONENT: &str = "server";

/// What the author decided.
#[derive(Debug)]
pub(super) struct Plan {
    /// The plugin's name.
    pub(super) name: PluginName,
    /// The image, with tag or digest.
    pub(super) image: String,
    /// The version of the middleware.
    pub(super) runtime: Version,
    /// The port that it listens on.
    pub(super) port: u16,
    /// The size of its volume, where it has one.
    pub(super) volume: Option<String>,
    /// The roles of its members, the leading one first.
    pub(super) roles: Vec<RoleName>,
    /// The credentials that each App gets.
    pub(super) credentials: Vec<CredentialName>,
    /// Whether a schema is begun.
    pub(super) schema: bool,
}

impl Plan {
    /// Paths and texts, in the order in which they are read.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let name = &self.name;
        let mut files = vec![
            ("addon.yaml".to_owned(), self.manifest()),
            ("README.md".to_owned(), self.readme()),
            ("scripts/start.sh".to_owned(), self.start()),
            (format!("templates/{name}.conf"), self.config()),
        ];
        if let [first, rest @ ..] = &self.roles[..] {
            let follower = rest.first().unwrap_or(first);
            files.push(("scripts/probe.sh".to_owned(), probe(first, follower)));
        }
        if self.schema {
            files.push((format!("schema/{name}.cue"), self.schema_file()));
        }
        files
    }

    /// The plugin's name, where a component may have it.
    fn component(&self) -> &str {
        let name = self.name.as_str();
        match name.parse::<ComponentName>() {
            Ok(_) => name,
            Err(_) => COMPONENT,
        }
    }

    fn manifest(&self) -> String {
        let Self {
            name,
            image,
            runtime,
            port,
            ..
        } = self;
        let component = self.component();
        let mut text = format!(
            "apiVersion: {}
kind: {}
name: {name}
version: 1.0.0
description: {name}, as one server.

# The versions of the middleware that this version of the addon runs.
runtimes:
  - version: {runtime}
    image: {image}

components:
  {component}:
    command: [/scripts/start.sh]
    ports:
      - name: {component}
        port: {port}
    resources:
      requests: {{ cpu: 50m, memory: 64Mi }}
      limits: {{ memory: 256Mi }}
    # The user that the image is made for; 0 is refused.
    runAs: {{ user: 1000, group: 1000 }}
    config:
      - file: {name}.conf
        template: {name}.conf
",
            package::manifest::API_VERSION,
            package::manifest::KIND,
        );
        text.push_str(&self.volume_part());
        text.push_str(&self.credentials_part());
        text.push_str(&self.roles_part());
        text.push_str(&self.schema_part());
        text.push_str(&self.topologies_part(component));
        text
    }

    fn schema_part(&self) -> String {
        if !self.schema {
            return String::new();
        }
        format!(
            "    schema:
      - file: {}.cue
    # How a running process reads its configuration again. Without it, a change of any parameter
    # restarts the members, one after the other.
    # actions:
    #   reload: {{ signal: SIGHUP }}
",
            self.name
        )
    }

    fn credentials_part(&self) -> String {
        if self.credentials.is_empty() {
            return String::new();
        }
        let names = self.credentials.iter();
        let names: String = names
            .map(|name| format!("      - name: {name}\n"))
            .collect();
        format!(
            "    # Made once for each App, and found in /credentials by scripts.\n    credentials:\n{names}"
        )
    }

    fn volume_part(&self) -> String {
        let Some(size) = &self.volume else {
            return String::new();
        };
        format!(
            "    volumes:\n      - name: data\n        mountPath: /data\n        size: {size}\n"
        )
    }

    fn roles_part(&self) -> String {
        if self.roles.is_empty() {
            return String::new();
        }
        let mut text = "    roles:\n".to_owned();
        for role in &self.roles {
            let _ = writeln!(text, "      - name: {role}\n        service: true");
        }
        text.push_str("    probe:\n      command: [/scripts/probe.sh]\n");
        text
    }

    fn topologies_part(&self, component: &str) -> String {
        let mut text = format!(
            "
topologies:
  - name: standalone
    description: One server.
    components:
      {component}: {{ replicas: 1, max: 1 }}
"
        );
        if let [first, _, ..] = &self.roles[..] {
            let _ = write!(
                text,
                "  - name: replication
    description: One {first}, and others that follow it.
    components:
      {component}: {{ replicas: 3, min: 2, max: 7 }}
"
            );
        }
        text
    }

    fn readme(&self) -> String {
        let Self {
            name,
            runtime,
            port,
            ..
        } = self;
        format!(
            "# {name}

{name} {runtime}, on port {port}.

Say here what a user must know: how clients connect, what survives a restart, what is not there.
"
        )
    }

    fn start(&self) -> String {
        let name = &self.name;
        let mut text = format!(
            "#!/bin/sh
# Starts the middleware. With `exec` it takes this shell's place and gets the signal to stop itself.
# Its configuration is /middleware/config/{name}.conf: hand it over as {name} wants it.
"
        );
        for credential in &self.credentials {
            let (user, password) = api::names::credential_keys(credential);
            let folder = api::agent::CREDENTIALS_DIR;
            let _ = writeln!(
                text,
                "# {folder}/{user} and {folder}/{password}: hand over the files, not their\n# text: \
                 whoever sees the process sees its command line."
            );
        }
        let _ = write!(text, "set -eu\n\nexec {name} \"$@\"\n");
        text
    }

    fn config(&self) -> String {
        let (name, component) = (&self.name, self.component());
        let mut text = format!(
            "# {{{{ app.namespace }}}}/{{{{ app.name }}}}, {{{{ topology }}}}: {name} \
             {{{{ runtime.version }}}}.\nport {{{{ component.ports.{component} }}}}\n"
        );
        if self.volume.is_some() {
            text.push_str("dir {{ component.volumes.data.mountPath }}\n");
        }
        if self.schema {
            text.push_str(
                "max-connections {{ component.parameters.maxConnections }}\nlog-level {{ \
                 component.parameters.logLevel }}\n",
            );
        }
        text
    }

    fn schema_file(&self) -> String {
        format!(
            "// What an App may set under `components.{}.config.parameters`, in CUE (cuelang.org). The
// comment of a parameter is told to people; `@effect` says how another value takes effect:
// dynamic, reload or restart.
parameters: {{
	// How many clients may be connected at once.
	maxConnections: *100 | int & >=1 & <=10000 @effect(restart)

	// What is logged: this, and what is worse.
	logLevel: *\"info\" | \"debug\" | \"warning\" | \"error\" @effect(reload)
}}
",
            self.component()
        )
    }
}

fn probe(first: &RoleName, follower: &RoleName) -> String {
    format!(
        "#!/bin/sh
# Prints what this member is, as JSON; a failure is a member that cannot serve. Ask the middleware
# itself: the ordinal is a stand-in until you do.
set -eu

if [ \"$PAAMESH_ORDINAL\" = 0 ]; then
  echo '{{\"role\":\"{first}\",\"writable\":true}}'
else
  echo '{{\"role\":\"{follower}\",\"writable\":false}}'
fi
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use evaluate::Host;
    use package::Tree;

    #[test]
    fn every_skeleton_is_valid() {
        let volumes = [None, Some("1Gi".to_owned())];
        let roles: [&[&str]; 3] = [&[], &["primary"], &["leader", "follower", "witness"]];
        for name in ["redis", "my-long-named-middleware", "svc"] {
            for volume in &volumes {
                for roles in roles {
                    let plan = Plan {
                        name: name.parse().unwrap(),
                        image: "example.org/a:1".to_owned(),
                        runtime: Version::new(1, 6, 0),
                        port: 6379,
                        volume: volume.clone(),
                        roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
                        credentials: roles.iter().map(|role| role.parse().unwrap()).collect(),
                        schema: volume.is_some(),
                    };
                    let files = plan.files().into_iter();
                    let tree = Tree::from_files(files.map(|(p, t)| (p, t.into_bytes()))).unwrap();
                    let verdict = package::check(tree, &Host);
                    assert!(verdict.is_ok(), "{plan:?}: {verdict:?}");
                }
            }
        }
    }
}
