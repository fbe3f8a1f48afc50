//! The addon that these tests run: a store with a schema, credentials and objects of its own, a watch
//! beside it, and an exporter that runs only where it is enabled. No Redis in it, and no process: what
//! counts is what the controllers make of it.

use crate::world::Scene;
use anyhow::Result;
use api::crd::addon::AddonPhase;
use std::collections::BTreeMap;

/// The files of an addon, by path.
pub type Files = BTreeMap<String, String>;

const MANIFEST: &str = r#"
apiVersion: middleware.io/v1alpha1
kind: Addon
name: PLUGIN
version: VERSION
description: A store, and what watches it.
licence: Apache-2.0
upgradeFrom: ["1.0.x"]
runtimes:
  - version: 3.1.0
    image: store:3.1.0
    images: {watch: "watch:3.1.0"}
values: {open: true}
components:
  store:
    command: [store, --config, /middleware/config/store.conf]
    ports: [{name: store, port: 7000}]
    resources: {limits: {memory: 64Mi}}
    volumes: [{name: data, mountPath: /data, size: 1Gi}]
    config: [{file: store.conf, template: store.conf}]
    schema: [{file: store.cue}]
    credentials: [{name: admin, username: root}]
    actions: {reload: {signal: SIGHUP}}
    objects:
      - {kind: NetworkPolicy, template: policy.yaml}
      - {kind: ConfigMap, template: notes.yaml, optional: true}
      - {kind: ServiceMonitor, template: monitor.yaml, optional: true}
      - {kind: Secret, template: licence.yaml}
      - {kind: Ingress, template: ingress.yaml}
      - {kind: PodDisruptionBudget, template: budget.yaml}
  watch:
    command: [watch]
    env: {STORE: VERSION}
  exporter:
    command: [export]
    ports: [{name: metrics, port: 9000}]
topologies:
  - name: pair
    components:
      store: {replicas: 1, max: 5}
      watch: {replicas: 1, max: 5, odd: true}
      exporter: {optional: true}
profiles:
  - name: production
    values: {open: false}
    components:
      store: {replicas: 3, parameters: {memory: 256}}
"#;

const SCHEMA: &str = "\
parameters: {
	// The most clients at once.
	clients: int & >=1 & <=1000 | *100 @effect(reload)
	// The memory for data, in MiB.
	memory: int & >=16 | *64
}
";

const CONFIG: &str = "\
clients {{ component.parameters.clients }}
memory {{ component.parameters.memory }}
";

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ component.fullName }}-clients
spec:
  podSelector:
    matchLabels:
      middleware.io/app: {{ app.name }}
  policyTypes: [Ingress]
  ingress:
    - ports: [{port: {{ component.ports.store }}}]
";

const NOTES: &str = "\
{% if values.open %}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ component.fullName }}-notes
  labels: {team: store}
data:
  address: {{ component.fullName }}:{{ component.ports.store }}
{% endif %}
";

const MONITOR: &str = "\
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ component.fullName }}-metrics
spec:
  selector: {matchLabels: {middleware.io/app: {{ app.name }}}}
  endpoints: [{port: store}]
";

const LICENCE: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: {{ component.fullName }}-licence
stringData:
  key: {{ app.name }}
";

const INGRESS: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ component.fullName }}-web
spec:
  rules:
    - host: {{ app.name }}.example.org
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service: {name: {{ component.fullName }}, port: {name: store}}
";

const BUDGET: &str = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ component.fullName }}-budget
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      middleware.io/app: {{ app.name }}
      middleware.io/component: {{ component.name }}
";

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ component.fullName }}-dump
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
";

/// Adds a claim to the objects of the store: what stands there, and what takes its place.
pub const WITH_CLAIM: (&str, &str) = (
    "      - {kind: Secret, template: licence.yaml}\n",
    "      - {kind: Secret, template: licence.yaml}\n      - {kind: PersistentVolumeClaim, template: claim.yaml}\n",
);

/// The addon of that version as the scene's plugin, changed by `change`: what stands there once → what
/// takes its place.
pub fn files(scene: &Scene, version: &str, change: &[(&str, &str)]) -> Files {
    let mut manifest = MANIFEST.trim_start().to_owned();
    for (from, to) in change {
        assert_eq!(manifest.matches(from).count(), 1, "{from}");
        manifest = manifest.replace(from, to);
    }
    let manifest = manifest.replace("PLUGIN", &scene.plugin);
    let manifest = manifest.replace("VERSION", version);
    let text = str::to_owned;
    let claim = manifest
        .contains("claim.yaml")
        .then(|| (text("templates/claim.yaml"), text(CLAIM)));
    let files = [
        (text("addon.yaml"), manifest),
        (text("schema/store.cue"), text(SCHEMA)),
        (text("templates/store.conf"), text(CONFIG)),
        (text("templates/policy.yaml"), text(POLICY)),
        (text("templates/notes.yaml"), text(NOTES)),
        (text("templates/monitor.yaml"), text(MONITOR)),
        (text("templates/licence.yaml"), text(LICENCE)),
        (text("templates/ingress.yaml"), text(INGRESS)),
        (text("templates/budget.yaml"), text(BUDGET)),
    ];
    files.into_iter().chain(claim).collect()
}

/// Publishes it, and waits until it is Active.
pub async fn active(scene: &Scene, version: &str, change: &[(&str, &str)]) -> Result<()> {
    scene
        .publish(version, &files(scene, version, change))
        .await?;
    scene.addon_is(version, AddonPhase::Active).await.map(drop)
}
