use super::*;
use crate::{
    EvaluateError, Parameters, RenderRequest, SchemaRequest, Tree, ValidateError, render::Instance,
};
use std::collections::BTreeMap;

/// Gives templates back as they are: what is looked at here is what they render to.
struct Plain;

impl Evaluate for Plain {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        Ok(request.templates[request.template].to_owned())
    }

    fn validate(&self, _: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        Ok(Parameters::default())
    }
}

/// What an App `shop` with a component `db` is told of an object of `kind` that is `text`.
fn answer(kind: &str, text: &str) -> Result<Vec<RenderedObject>, RenderError> {
    several(&[(kind, text)], false)
}

fn several(objects: &[(&str, &str)], optional: bool) -> Result<Vec<RenderedObject>, RenderError> {
    let declared: Vec<String> = objects
        .iter()
        .enumerate()
        .map(|(i, (kind, _))| {
            format!("{{kind: {kind}, template: o{i}.yaml, optional: {optional}}}")
        })
        .collect();
    let manifest = format!(
        "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: demo\nversion: 1.0.0\n\
         runtimes: [{{version: 1.0.0, image: 'a:1'}}]\n\
         components:\n  db:\n    command: [db]\n    ports: [{{name: main, port: 1}}]\n    \
         roles: [{{name: primary, service: true}}]\n    objects: [{}]\n  web: {{command: [web]}}\n",
        declared.join(", ")
    );
    let mut files = BTreeMap::from([("addon.yaml".to_owned(), manifest.into_bytes())]);
    for (i, (_, text)) in objects.iter().enumerate() {
        files.insert(format!("templates/o{i}.yaml"), text.as_bytes().to_vec());
    }
    let package = crate::load(Tree::from_files(files).unwrap()).unwrap();
    let instance = Instance {
        app: "shop".parse().unwrap(),
        namespace: "prod".to_owned(),
        topology: "default".parse().unwrap(),
        profile: None,
        runtime: "1.0.0".parse().unwrap(),
        components: BTreeMap::new(),
    };
    let context = Context::new(&package, &instance, &Plain).unwrap();
    super::objects(&package, &"db".parse().unwrap(), &context, &Plain)
}

fn accepted(kind: &str, text: &str) -> Value {
    let mut objects = answer(kind, text).unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert_eq!(objects.len(), 1);
    objects.remove(0).object
}

/// What is said against it, without the file.
fn refused(kind: &str, text: &str) -> String {
    let error = answer(kind, text).expect_err(text);
    error.to_string().replace("templates/o0.yaml:", "")
}

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata:
  name: shop-db-http
spec:
  selector:
    middleware.io/app: shop
  ports:
    - port: 80
      targetPort: main
";

/// The Service, with `to` in place of `from`.
fn service(from: &str, to: &str) -> String {
    assert!(SERVICE.contains(from));
    SERVICE.replace(from, to)
}

#[test]
fn a_good_object_of_each_kind_is_given_on_as_it_is() {
    assert_eq!(accepted("Service", SERVICE)["spec"]["ports"][0]["port"], 80);
    for (kind, group, rest) in [
        ("ConfigMap", "v1", "data: {a: b}"),
        (
            "Secret",
            "v1",
            "stringData: {a: b}\ntype: kubernetes.io/basic-auth",
        ),
        (
            "PersistentVolumeClaim",
            "v1",
            "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
        ),
        (
            "Ingress",
            "networking.k8s.io/v1",
            "spec: {tls: [{secretName: shop-db-tls}], rules: [{host: a.example.org, http: {paths: [\
             {path: /, pathType: Prefix, backend: {service: {name: shop-web, port: {number: 80}}}},\
             {path: /p, pathType: Prefix, backend: {service: {name: shop-db-primary-svc, port: {name: main}}}}]}}]}",
        ),
        (
            "NetworkPolicy",
            "networking.k8s.io/v1",
            "spec: {podSelector: {matchLabels: {middleware.io/app: shop}}, ingress: [{}]}",
        ),
        (
            "PodDisruptionBudget",
            "policy/v1",
            "spec: {maxUnavailable: 1, selector: {matchLabels: {middleware.io/app: shop}}}",
        ),
        (
            "ServiceMonitor",
            "monitoring.coreos.com/v1",
            "spec: {selector: {matchLabels: {middleware.io/app: shop}}, endpoints: [{port: main}]}",
        ),
        (
            "PodMonitor",
            "monitoring.coreos.com/v1",
            "spec: {selector: {matchLabels: {middleware.io/app: shop}}}",
        ),
        (
            "PrometheusRule",
            "monitoring.coreos.com/v1",
            "spec: {groups: []}",
        ),
    ] {
        let text = format!(
            "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: shop-db-x, namespace: prod, \
             labels: {{a: b}}, annotations: {{c: d}}}}\n{rest}\n"
        );
        assert_eq!(accepted(kind, &text)["metadata"]["name"], "shop-db-x");
    }
}

#[test]
fn a_field_that_kubernetes_does_not_know_is_refused_with_its_place() {
    assert_eq!(
        refused("Service", &service("targetPort", "targetport")),
        "10:7: unknown field `targetport`: want one of appProtocol, name, nodePort, port, protocol, \
         targetPort; did you mean `targetPort`?"
    );
    let said = refused("Service", &service("port: 80", "port: \"80\""));
    assert!(said.starts_with("9:13: want a whole number"), "{said}");
    let said = refused(
        "ServiceMonitor",
        "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\n\
         metadata: {name: shop-db-x, nam: y}\nspecs: {}\n",
    );
    assert!(
        said.contains("unknown field `nam`") && said.contains("unknown field `specs`"),
        "{said}"
    );
}

#[test]
fn kind_and_version_are_the_declared_ones() {
    assert_eq!(
        refused("ConfigMap", SERVICE),
        "2:7: want `ConfigMap`, as the manifest says, not `Service`"
    );
    let said = refused("Ingress", "apiVersion: extensions/v1beta1\nkind: Ingress\n");
    assert_eq!(
        said,
        "1:13: want `networking.k8s.io/v1`, as the manifest says, not `extensions/v1beta1`"
    );
    let said = refused("Service", "- a\n");
    assert!(said.contains("want one object"), "{said}");
    let said = refused("Service", "metadata: {name: shop-db-x}\n");
    assert!(
        said.contains("the field `apiVersion` is missing; want `v1`"),
        "{said}"
    );
}

#[test]
fn names_are_the_components_own() {
    for bad in [
        "http",
        "shop-http",
        "shop-db",
        "shop-web-http",
        "shop-db-",
        "shop-db-0",
        "shop-db-0-h",
        "shop-db-7-1",
        "shop-db-config",
        "shop-db-content",
        "shop-db-credentials",
        "shop-db-primary-svc",
        "shop-db-x-h",
        "shop2-db-http",
    ] {
        let said = refused("Service", &service("shop-db-http", bad));
        assert!(
            said.contains("cannot be the name: want `{{ component.fullName }}-…`"),
            "{bad}: {said}"
        );
    }
    for bad in [
        "shop-db-Http",
        "shop-db-a_b",
        "shop-db-a.b",
        &format!("shop-db-{}", "a".repeat(60)),
    ] {
        let said = refused("Service", &service("shop-db-http", bad));
        assert!(said.contains("is no name of a Service"), "{bad}: {said}");
    }
    let said = refused("Service", &service("  name: shop-db-http", "  labels: {}"));
    assert!(said.contains("`metadata.name` is missing"), "{said}");
}

#[test]
fn metadata_has_nothing_of_the_platforms() {
    let with = |field: &str| {
        service(
            "  name: shop-db-http",
            &format!("  name: shop-db-http\n  {field}"),
        )
    };
    for (field, says) in [
        ("namespace: other", "cannot lie in the namespace `other`"),
        (
            "ownerReferences: []",
            "`metadata.ownerReferences` is not the addon's to set",
        ),
        ("finalizers: [a/b]", "`metadata.finalizers` is not"),
        ("generateName: a", "`metadata.generateName` is not"),
        ("uid: a", "`metadata.uid` is not"),
        (
            "labels: {middleware.io/app: other}",
            "labels that begin with middleware.io/ are the platform's",
        ),
        (
            "annotations: {middleware.io/applied: x}",
            "annotations that begin with middleware.io/",
        ),
    ] {
        let said = refused("Service", &with(field));
        assert!(said.contains(says), "{field}: {said}");
    }
    let said = refused("Service", &format!("{SERVICE}status: {{}}\n"));
    assert!(
        said.contains("`status` is written by the cluster"),
        "{said}"
    );
}

#[test]
fn nothing_reaches_beyond_the_app() {
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: shop-db-x}\nspec: ";
    let ingress =
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop-db-x}\nspec: ";
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: shop-db-x}\nspec: \
                 {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, ";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: shop-db-x}\ntype: ";
    for (kind, text, says) in [
        ("Service", service("middleware.io/app: shop", "app: other"), "`spec.selector` reaches beyond the App"),
        ("Service", service("middleware.io/app: shop", "middleware.io/app: other"), "reaches beyond the App"),
        ("Service", service("  ports:", "  externalIPs: [1.2.3.4]\n  ports:"), "`externalIPs` is not allowed"),
        ("Service", service("  ports:", "  type: ExternalName\n  ports:"), "`ExternalName` is not allowed: want one of"),
        ("Service", service("  ports:", "  externalName: a.b\n  ports:"), "`externalName` is not allowed"),
        ("NetworkPolicy", format!("{policy}{{podSelector: {{}}}}"), "`spec.podSelector.matchLabels` reaches beyond"),
        ("Ingress", format!("{ingress}{{defaultBackend: {{service: {{name: shop-dbx}}}}}}"),
            "the Service `shop-dbx` is not the App's: want one of shop-db, shop-db-0-h, shop-db-primary-svc, shop-web, shop-web-0-h"),
        ("Ingress", format!("{ingress}{{defaultBackend: {{resource: {{kind: A, name: b}}}}}}"), "`resource` is not allowed"),
        ("Ingress", format!("{ingress}{{tls: [{{secretName: other}}]}}"), "`other` is not the component's: want a name that begins with `shop-db-`"),
        ("PersistentVolumeClaim", format!("{claim}volumeName: pv}}"), "`volumeName` is not allowed"),
        ("PersistentVolumeClaim", format!("{claim}dataSource: {{kind: PersistentVolumeClaim, name: other}}}}"),
            "`dataSource` is not allowed"),
        ("Secret", format!("{secret}kubernetes.io/service-account-token"), "it holds credentials of the cluster"),
        ("PodDisruptionBudget",
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: shop-db-x}\nspec: {selector: {}}".to_owned(),
            "`spec.selector.matchLabels` reaches beyond the App"),
        ("PodMonitor", "apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: shop-db-x}\nspec: \
            {namespaceSelector: {any: true}, selector: {matchLabels: {middleware.io/app: shop}}}".to_owned(),
            "`namespaceSelector` is not allowed"),
        ("ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-db-x}\nimmutable: true".to_owned(),
            "`immutable` is not allowed"),
    ] {
        let said = refused(kind, &text);
        assert!(said.contains(says), "{kind}: {said}");
    }
}

#[test]
fn what_the_api_server_would_refuse_is_refused_before() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-db-x}\ndata: ";
    for (kind, text, says) in [
        (
            "Service",
            service("port: 80", "port: 0"),
            "9:13: want `port`, a number from 1 to 65535",
        ),
        (
            "Service",
            service("  ports:", "  ports:\n    - port: 81"),
            "of several ports each needs a `name`",
        ),
        (
            "Service",
            service("  ports:", "  ports: []\n  x:"),
            "unknown field `x`",
        ),
        (
            "ConfigMap",
            format!("{map}{{a/b: c}}"),
            "`a/b` cannot be a key",
        ),
        (
            "ConfigMap",
            format!("{map}{{a: 1}}"),
            "want text; put it in quotes",
        ),
        (
            "Service",
            service("metadata:", "metadata:\n  labels: {a: two words}"),
            "`two words` cannot be the value of a label",
        ),
        (
            "Service",
            service("metadata:", "metadata:\n  annotations: {a b: c}"),
            "`a b` cannot be a key of annotations",
        ),
    ] {
        let said = refused(kind, &text);
        assert!(said.contains(says), "{kind}: {said}");
    }
}

/// A scraper shows what it scrapes with to the pods, which the addon wrote.
#[test]
fn a_monitor_leads_out_no_secret() {
    let monitor = |endpoint: &str| {
        format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {{name: shop-db-x}}\n\
             spec:\n  selector: {{matchLabels: {{middleware.io/app: shop}}}}\n  endpoints:\n    - {endpoint}\n"
        )
    };
    let own = "{basicAuth: {password: {name: shop-db-credentials, key: admin-password}}}";
    assert!(answer("ServiceMonitor", &monitor(own)).is_ok());
    for (endpoint, says) in [
        (
            "{basicAuth: {password: {name: other, key: password}}}",
            "`other` is not the component's",
        ),
        (
            "{tlsConfig: {cert: {secret: {name: other, key: tls.crt}}}}",
            "`other` is not the component's",
        ),
        (
            "{bearerTokenFile: /var/run/secrets/token}",
            "`bearerTokenFile` is not allowed",
        ),
        (
            "{tlsConfig: {keyFile: /etc/key}}",
            "`keyFile` is not allowed",
        ),
    ] {
        let said = refused("ServiceMonitor", &monitor(endpoint));
        assert!(said.contains(says), "{endpoint}: {said}");
    }
}

#[test]
fn a_service_of_the_component_may_stand_behind_an_ingress() {
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: shop-db-x}\n\
                   spec: {defaultBackend: {service: {name: shop-db-http, port: {number: 80}}}}";
    let objects = several(&[("Ingress", ingress), ("Service", SERVICE)], false).unwrap();
    let kinds: Vec<ObjectKind> = objects.iter().map(|object| object.kind).collect();
    assert_eq!(kinds, [ObjectKind::Ingress, ObjectKind::Service]);
    assert!(answer("Ingress", ingress).is_err());
}

#[test]
fn an_object_is_there_once() {
    let error = several(&[("Service", SERVICE), ("Service", SERVICE)], false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "templates/o1.yaml:4:9: the Service `shop-db-http` is there twice; give it another name"
    );
}

#[test]
fn a_template_renders_to_one_object_or_to_nothing_where_it_is_optional() {
    let blank = "# nothing here\n---\n\n";
    assert_eq!(several(&[("Service", blank)], true), Ok(Vec::new()));
    let said = refused("Service", blank);
    assert!(
        said.contains("it renders to nothing; want one object"),
        "{said}"
    );
    let two = format!("{SERVICE}---\n{SERVICE}");
    let said = refused("Service", &two);
    assert!(said.contains("no YAML"), "{said}");
    let said = refused("Service", "a: [\n");
    assert!(said.contains("no YAML"), "{said}");
    let said = refused(
        "ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-db-x}\ndata: {mode: 0644}\n",
    );
    assert!(
        said.contains("`0644` is an octal number to some readers"),
        "{said}"
    );
}
