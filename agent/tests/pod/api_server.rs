//! `sidecar` against a real API server, with the account and the Role that a Group gives its pods.

use crate::place::{Job, Place, eventually, is};
use api::agent::{ActionTable, CONTENT_REVISION_FILE, TOKEN_DIR};
use api::labels;
use kit::{ControlPlane, Kubectl};
use serde_json::Value;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const REVISION: &str = "0a1b2c3d";
const POD: &str = "shop-redis-0-0";
const OTHER: &str = "shop-redis-0-1";
const AGENT: &str = "paamesh-agent/";

/// A namespace with a Group's account and Role, and two pods of which only one is named in it: a
/// pod of another Group is the same to the API server.
struct Cluster {
    control: &'static ControlPlane,
    kubectl: Kubectl,
    namespace: String,
    port: u16,
}

fn rights(namespace: &str) -> String {
    format!(
        r"
apiVersion: v1
kind: ServiceAccount
metadata: {{name: shop-redis-0, namespace: {namespace}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: shop-redis-0, namespace: {namespace}}}
rules:
- apiGroups: ['']
  resources: [pods]
  resourceNames: [{POD}]
  verbs: [get, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: shop-redis-0, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: shop-redis-0}}
subjects:
- {{kind: ServiceAccount, name: shop-redis-0}}
"
    )
}

fn pod(namespace: &str, name: &str) -> String {
    format!(
        r"
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: {namespace}
  labels: {{middleware.io/app: shop}}
  annotations: {{middleware.io/revision: '12345678'}}
spec:
  serviceAccountName: shop-redis-0
  automountServiceAccountToken: false
  containers: [{{name: main, image: redis}}]
"
    )
}

impl Cluster {
    async fn new() -> Self {
        let control = ControlPlane::shared().await.unwrap();
        let namespace = control.namespace("agent").await.unwrap();
        let kubectl = control.kubectl().unwrap();
        kubectl.apply(&rights(&namespace)).unwrap();
        for name in [POD, OTHER] {
            kubectl.apply(&pod(&namespace, name)).unwrap();
        }
        let view = kubectl
            .json(&["config", "view", "--raw", "-o", "json"])
            .unwrap();
        let server = view["clusters"][0]["cluster"]["server"]
            .as_str()
            .unwrap()
            .to_owned();
        let port = server.rsplit(':').next().unwrap().parse().unwrap();
        Self {
            control,
            kubectl,
            namespace,
            port,
        }
    }

    /// What the kubelet would mount for `pod`: a token that is bound to it, and the CA.
    fn mount_token(&self, place: &Place, pod: &str) {
        let bound = ["--bound-object-kind", "Pod", "--bound-object-name", pod];
        let create = ["create", "token", "shop-redis-0", "-n", &self.namespace];
        let token = self.kubectl.run(&[&create[..], &bound].concat()).unwrap();
        let ca = self.control.directory().join("pki/ca.crt");
        let mount = place.root.at(TOKEN_DIR);
        fs::write(mount.join("token"), token.trim()).unwrap();
        fs::copy(ca, mount.join("ca.crt")).unwrap();
    }

    fn sidecar(&self, place: &Place, pod: &str, port: u16) -> Job {
        let port = port.to_string();
        let address = ["--api-host", "127.0.0.1", "--api-port", &port];
        let own = ["sidecar", "--pod", pod, "--namespace", &self.namespace];
        let log = fs::File::create(place.scratch("sidecar.log")).unwrap();
        Job::start(place.agent(&[&own[..], &address].concat()).stderr(log))
    }

    fn metadata(&self, pod: &str) -> Value {
        let args = ["get", "pod", pod, "-n", &self.namespace, "-o", "json"];
        self.kubectl.json(&args).unwrap()["metadata"].take()
    }

    fn role(&self, pod: &str) -> Option<String> {
        self.metadata(pod)["labels"][labels::ROLE]
            .as_str()
            .map(str::to_owned)
    }

    fn says(&self, healthy: bool, role: &str) -> Value {
        eventually("the pod's object says so", || {
            let metadata = self.metadata(POD);
            let annotation = metadata["annotations"][labels::OBSERVED].as_str();
            let observed: Value = serde_json::from_str(annotation.unwrap_or("{}")).unwrap();
            let label = metadata["labels"][labels::ROLE].as_str();
            is(
                &(&observed["healthy"], label),
                &(&Value::Bool(healthy), Some(role)),
            )
            .map(|()| observed)
        })
    }
}

/// A member that is what stands in a file.
fn member() -> Place {
    let place = Place::new();
    place.annotate(CONTENT_REVISION_FILE, REVISION);
    place.sync_probe(
        REVISION,
        &format!("cat {}", place.scratch("role").display()),
    );
    becomes(
        &place,
        r#"{"role":"primary","writable":true,"position":1,"lineage":"a"}"#,
    );
    place
}

fn becomes(place: &Place, json: &str) {
    let next = place.scratch("role.next");
    fs::write(&next, json).unwrap();
    fs::rename(next, place.scratch("role")).unwrap();
}

/// The member was observed so, here in the pod.
fn observed(place: &Place, what: &str) {
    eventually("it is observed", || {
        let path = place.root.at(api::agent::OBSERVED_FILE);
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.contains(what) {
            Ok(())
        } else {
            Err(text)
        }
    });
}

/// Hands connections on to the API server, from a port where nobody listened until now.
fn open(from: u16, to: u16) {
    let listener = TcpListener::bind(("127.0.0.1", from)).unwrap();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let mut pairs = [
                (near.try_clone().unwrap(), far.try_clone().unwrap()),
                (far, near),
            ];
            for (from, to) in &mut pairs {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn the_label_follows_the_role_and_steady_state_is_silent() {
    let cluster = Cluster::new().await;
    let place = member();
    cluster.mount_token(&place, POD);
    let _supervisor = place.supervise("exec sleep 100");
    let mut sidecar = cluster.sidecar(&place, POD, cluster.port);
    let first = cluster.says(true, "primary");
    assert_eq!(first["writable"], true);
    assert_eq!(first.get("position"), None, "it changes all the time");
    assert_eq!(cluster.metadata(POD)["labels"]["middleware.io/app"], "shop");
    assert_eq!(
        cluster.metadata(POD)["annotations"]["middleware.io/revision"],
        "12345678"
    );

    let mark = cluster.control.audit().mark().unwrap();
    for position in 2..12 {
        let json = r#"{"role":"primary","writable":true,"position":POSITION,"lineage":"a"}"#;
        becomes(&place, &json.replace("POSITION", &position.to_string()));
        std::thread::sleep(Duration::from_millis(150));
    }
    let requests = cluster.control.audit().since(mark).unwrap().by(AGENT);
    let requests = requests.filter(|event| event.uri.contains(&cluster.namespace));
    assert_eq!(requests.len(), 0, "{requests:?}");

    becomes(&place, r#"{"role":"replica","lineage":"b"}"#);
    assert_eq!(cluster.says(true, "replica")["lineage"], "b");
    assert_eq!(sidecar.stop(), Some(0));
    let last = cluster.says(false, "replica");
    assert_eq!(last["message"], "the sidecar was asked to end");
}

#[tokio::test]
async fn a_sidecar_that_starts_again_writes_nothing_that_the_pod_already_says() {
    let cluster = Cluster::new().await;
    let place = member();
    cluster.mount_token(&place, POD);
    let _supervisor = place.supervise("exec sleep 100");
    let first = cluster.sidecar(&place, POD, cluster.port);
    cluster.says(true, "primary");
    // As when its container dies: nobody is told.
    first.signal(rustix::process::Signal::KILL);
    drop(first);
    let mark = cluster.control.audit().mark().unwrap();
    let _second = cluster.sidecar(&place, POD, cluster.port);
    let of_agent = || {
        let events = cluster.control.audit().since(mark).unwrap().by(AGENT);
        events.filter(|event| event.uri.contains(&cluster.namespace))
    };
    eventually("it has compared", || is(&of_agent().verb("get").len(), &1));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(of_agent().writes().len(), 0);
}

#[tokio::test]
async fn while_the_api_server_is_away_it_probes_on_and_then_writes_what_is_true() {
    let cluster = Cluster::new().await;
    let place = member();
    cluster.mount_token(&place, POD);
    let _supervisor = place.supervise("exec sleep 100");
    let port = free_port();
    let mut sidecar = cluster.sidecar(&place, POD, port);
    observed(&place, "primary");
    std::thread::sleep(Duration::from_secs(2));
    becomes(&place, r#"{"role":"replica"}"#);
    observed(&place, "replica");
    place.asks("ready").unwrap();
    assert_eq!(cluster.role(POD), None);
    open(port, cluster.port);
    cluster.says(true, "replica");
    assert!(sidecar.runs());
}

#[tokio::test]
async fn another_pod_is_refused_and_that_stops_nothing() {
    let cluster = Cluster::new().await;
    let place = member();
    cluster.mount_token(&place, POD);
    let _supervisor = place.supervise("exec sleep 100");
    let mark = cluster.control.audit().mark().unwrap();
    let mut sidecar = cluster.sidecar(&place, OTHER, cluster.port);
    eventually("it was refused", || {
        let events = cluster.control.audit().since(mark).unwrap().by(AGENT);
        let events = events.filter(|event| {
            event.uri.contains(&cluster.namespace)
                && event
                    .response_status
                    .as_ref()
                    .is_some_and(|status| status.code == 403)
        });
        if events.is_empty() {
            Err("no request was".to_owned())
        } else {
            Ok(())
        }
    });
    place.asks("ready").unwrap();
    assert_eq!(cluster.role(OTHER), None);
    assert!(sidecar.runs());
}

#[tokio::test]
async fn an_agent_that_outlived_its_pod_does_not_write_the_next_one_of_that_name() {
    let cluster = Cluster::new().await;
    let place = member();
    cluster.mount_token(&place, POD);
    let _supervisor = place.supervise("exec sleep 100");
    let mut sidecar = cluster.sidecar(&place, POD, cluster.port);
    cluster.says(true, "primary");
    let delete = [
        "delete",
        "pod",
        POD,
        "-n",
        &cluster.namespace,
        "--force",
        "--grace-period=0",
    ];
    cluster.kubectl.run(&delete).unwrap();
    cluster
        .kubectl
        .apply(&pod(&cluster.namespace, POD))
        .unwrap();
    becomes(&place, r#"{"role":"replica"}"#);
    // At first the API server still believes the token, and the agent itself must notice.
    eventually("it saw that it is late", || {
        let log = place.read("sidecar.log");
        let late = log.contains("another pod has this one's name") || log.contains("401 Unauth");
        if late { Ok(()) } else { Err(log) }
    });
    assert_eq!(cluster.role(POD), None);
    assert!(sidecar.runs());
}

#[tokio::test]
async fn without_a_probe_no_role_is_claimed() {
    let cluster = Cluster::new().await;
    let place = member();
    place.sync_table(REVISION, &ActionTable::default());
    cluster.mount_token(&place, POD);
    let _supervisor = place.supervise("exec sleep 100");
    let _sidecar = cluster.sidecar(&place, POD, cluster.port);
    eventually("it is said to be healthy", || {
        let metadata = cluster.metadata(POD);
        let annotation = metadata["annotations"][labels::OBSERVED]
            .as_str()
            .map(str::to_owned);
        is(
            &annotation.as_deref(),
            &Some(r#"{"healthy":true,"writable":false}"#),
        )
    });
    assert_eq!(cluster.role(POD), None);
}
