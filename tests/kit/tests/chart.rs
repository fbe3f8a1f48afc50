//! The chart: it lints, it renders, and its CustomResourceDefinitions are those of the program.
//! With `PAAMESH_GENERATE=1` (`make generate`) the definitions are written instead of compared.

use anyhow::{Context, Result, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

/// On every definition: uninstalling the chart keeps it, and so the data (design.md, section 3).
const KEEP: &str = "helm.sh/resource-policy";

#[test]
fn lints() -> Result<()> {
    helm(&["lint", "--strict", "charts/paamesh"])?;
    Ok(())
}

#[test]
fn refuses_a_value_that_it_does_not_know() -> Result<()> {
    let said = helm(&["template", "charts/paamesh", "--set", "operator.replica=2"]);
    let said = said.map_or_else(|error| error.to_string(), |_| String::new());
    assert!(
        said.contains("replica"),
        "values.schema.json let a misspelt value pass: {said}"
    );
    Ok(())
}

#[test]
fn pods_are_restricted_and_bounded() -> Result<()> {
    let deployments: Vec<Value> = rendered()?
        .into_iter()
        .filter(|o| o["kind"] == "Deployment")
        .collect();
    let names: BTreeSet<_> = deployments
        .iter()
        .map(|d| d["metadata"]["name"].as_str())
        .collect();
    assert_eq!(
        names,
        BTreeSet::from([Some("paamesh-operator"), Some("paamesh-registry")])
    );
    for deployment in &deployments {
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(
            pod["securityContext"]["seccompProfile"]["type"],
            "RuntimeDefault"
        );
        for container in pod["containers"].as_array().context("containers")? {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["readOnlyRootFilesystem"], true);
            assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]));
            for field in ["livenessProbe", "readinessProbe"] {
                assert!(container[field].is_object(), "{field}");
            }
            for bound in [
                &container["resources"]["requests"]["cpu"],
                &container["resources"]["limits"]["memory"],
            ] {
                assert!(bound.is_string(), "{container}");
            }
        }
    }
    Ok(())
}

/// Least privilege: no wildcard, and nobody lists or watches Secrets outside the platform's namespace;
/// the operator alone asks there for one by its name.
#[test]
fn no_role_has_a_wildcard() -> Result<()> {
    let roles: Vec<Value> = rendered()?
        .into_iter()
        .filter(|o| o["kind"] == "ClusterRole" || o["kind"] == "Role")
        .collect();
    assert!(roles.len() >= 4, "{} roles", roles.len());
    let mut of_secrets = Vec::new();
    for role in &roles {
        assert!(!role["rules"].to_string().contains("\"*\""), "{role}");
        let rules = role["rules"].as_array().into_iter().flatten();
        let secrets = rules.filter(|rule| rule["resources"].to_string().contains("secrets"));
        if role["kind"] == "ClusterRole" {
            of_secrets.extend(secrets.map(|rule| (&role["metadata"]["name"], &rule["verbs"])));
        }
    }
    let verbs = serde_json::json!(["get", "create", "patch", "delete"]);
    assert_eq!(of_secrets, [(&"paamesh-operator".into(), &verbs)]);
    Ok(())
}

/// Where webhooks come in: the port that the Service and the Ingress lead to is the registry's.
#[test]
fn webhooks_reach_the_registry() -> Result<()> {
    let ingress = "registry.webhooks.ingress";
    let flags = [
        &format!("{ingress}.enabled=true"),
        &format!("{ingress}.host=hooks.example.com"),
        "registry.directories.hostPath.path=/srv/addons",
    ];
    let objects = rendered_with(&flags)?;
    let of = |kind: &str, name: &str| {
        let mut found = objects.iter();
        let found = found.find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
        found.with_context(|| format!("no {kind} {name}"))
    };
    let service = &of("Service", "paamesh-webhooks")?["spec"];
    let pod = &of("Deployment", "paamesh-registry")?["spec"]["template"];
    for (label, value) in service["selector"].as_object().context("selector")? {
        assert_eq!(&pod["metadata"]["labels"][label], value, "{label}");
    }
    let container = &pod["spec"]["containers"][0];
    let ports = container["ports"].as_array().context("ports")?;
    let target = &service["ports"][0]["targetPort"];
    let port = ports.iter().find(|port| &port["name"] == target);
    assert_eq!(port.context("the port")?["containerPort"], 9292);
    let variables = container["env"].as_array().context("env")?;
    let variable = |name: &str| {
        variables
            .iter()
            .find(|v| v["name"] == name)
            .map(|v| &v["value"])
    };
    assert_eq!(
        variable("PAAMESH_WEBHOOK_LISTEN"),
        Some(&"[::]:9292".into())
    );
    let mounts = container["volumeMounts"].as_array().context("mounts")?;
    let mounted = mounts.iter().find(|m| m["name"] == "directories");
    assert_eq!(
        variable("PAAMESH_DIRECTORIES"),
        mounted.map(|m| &m["mountPath"])
    );
    let path = &of("Ingress", "paamesh-webhooks")?["spec"]["rules"][0]["http"]["paths"][0];
    assert_eq!(path["backend"]["service"]["name"], "paamesh-webhooks");

    let closed = rendered_with(&["registry.webhooks.enabled=false"])?;
    assert!(
        closed
            .iter()
            .all(|o| o["metadata"]["name"] != "paamesh-webhooks")
    );
    Ok(())
}

#[test]
fn its_definitions_are_the_programs() -> Result<()> {
    let wanted = definitions()?;
    if std::env::var_os("PAAMESH_GENERATE").is_some() {
        return write(&wanted);
    }
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for object in rendered()?
        .into_iter()
        .filter(|o| o["kind"] == "CustomResourceDefinition")
    {
        found.insert(
            object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            object,
        );
    }
    assert!(
        found.keys().eq(wanted.keys()),
        "{:?} is not {:?}: run `make generate`",
        found.keys(),
        wanted.keys()
    );
    for (name, definition) in &wanted {
        assert!(
            found[name] == *definition,
            "{name} of the chart is old: run `make generate`"
        );
    }
    Ok(())
}

/// The API server's bound for all of them is etcd's; ours is what `helm` can carry in its Secret.
#[test]
fn definitions_stay_small() -> Result<()> {
    let size: usize = definitions()?.values().map(|d| d.to_string().len()).sum();
    assert!(size < 300_000, "{size} bytes");
    Ok(())
}

fn definitions() -> Result<BTreeMap<String, Value>> {
    api::crd::all()
        .into_iter()
        .map(|mut definition: CustomResourceDefinition| {
            let annotations = definition.metadata.annotations.get_or_insert_default();
            annotations.insert(KEEP.to_owned(), "keep".to_owned());
            let name = definition.metadata.name.clone().unwrap_or_default();
            Ok((name, serde_json::to_value(definition)?))
        })
        .collect()
}

fn write(definitions: &BTreeMap<String, Value>) -> Result<()> {
    let directory: PathBuf = kit::root().join("charts/paamesh/templates/crds");
    std::fs::create_dir_all(&directory)?;
    for (name, definition) in definitions {
        let text = format!(
            "# Generated by `make generate`.\n{}",
            serde_saphyr::to_string(definition)?
        );
        ensure!(
            !text.contains("{{"),
            "{name}: Helm would read `{{{{` as a template"
        );
        std::fs::write(directory.join(format!("{name}.yaml")), text)?;
    }
    Ok(())
}

fn rendered() -> Result<Vec<Value>> {
    rendered_with(&[])
}

/// With these values set.
fn rendered_with(values: &[&str]) -> Result<Vec<Value>> {
    let mut args = vec![
        "template",
        "paamesh",
        "charts/paamesh",
        "--namespace",
        "paamesh-system",
    ];
    args.extend(values.iter().flat_map(|value| ["--set", value]));
    let text = helm(&args)?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text)?;
    Ok(objects.into_iter().filter(|o| !o.is_null()).collect())
}

fn helm(args: &[&str]) -> Result<String> {
    let out = Command::new(kit::tool("helm")?)
        .args(args)
        .current_dir(kit::root())
        .output()?;
    let (stdout, stderr) = (
        String::from_utf8(out.stdout)?,
        String::from_utf8_lossy(&out.stderr),
    );
    ensure!(
        out.status.success(),
        "helm {}: {stdout}{stderr}",
        args.join(" ")
    );
    Ok(stdout)
}
