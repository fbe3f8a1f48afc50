//! The volumes of a pod, and which container sees which. Claims are added per member.

use api::{
    Component,
    agent::{
        AGENT_DIR, AGENT_VOLUME, CONFIG_DIR, CONFIG_REVISION_FILE, CONTENT_DIR,
        CONTENT_REVISION_FILE, CREDENTIALS_DIR, MIDDLEWARE_DIR, POD_DIR, SCRIPTS_DIR, TOKEN_DIR,
    },
    labels, names,
};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, ConfigMapVolumeSource, DownwardAPIVolumeFile, DownwardAPIVolumeSource,
    EmptyDirVolumeSource, KeyToPath, ObjectFieldSelector, ProjectedVolumeSource,
    SecretVolumeSource, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use kube::ResourceExt as _;
use package::manifest::Component as Declared;

const SCRIPTS: &str = "scripts";
const MIDDLEWARE: &str = "middleware";
const CONTENT: &str = "paamesh-content";
const CONFIG: &str = "paamesh-config";
const POD: &str = "paamesh-pod";
const TOKEN: &str = "paamesh-token";
const CREDENTIALS: &str = "paamesh-credentials";
const TMP: &str = "tmp";
const TMP_DIR: &str = "/tmp";
/// How long a token is good for, seconds: an hour and the slack that Kubernetes itself adds.
const TOKEN_SECONDS: i64 = 3607;

/// Every volume but the claims.
pub(super) fn volumes(component: &Component, declared: &Declared) -> Vec<Volume> {
    let name = component.name_any();
    let ours = [
        empty(AGENT_VOLUME),
        empty(SCRIPTS),
        empty(MIDDLEWARE),
        config_map(CONTENT, names::content_config_map(&name)),
        config_map(CONFIG, names::config_config_map(&name)),
        pod(),
        token(),
        empty(TMP),
    ];
    let credentials =
        has_credentials(declared).then(|| secret(CREDENTIALS, names::credentials_secret(&name)));
    ours.into_iter().chain(credentials).collect()
}

fn has_credentials(declared: &Declared) -> bool {
    !declared.credentials.is_empty()
}

/// Middleware and sidecar see the credentials; the init container has no use for them.
fn credentials_mount(declared: &Declared) -> Option<VolumeMount> {
    has_credentials(declared).then(|| read(CREDENTIALS, CREDENTIALS_DIR))
}

pub(super) fn install_mounts() -> Vec<VolumeMount> {
    vec![
        mount(AGENT_VOLUME, AGENT_DIR),
        mount(SCRIPTS, SCRIPTS_DIR),
        mount(MIDDLEWARE, MIDDLEWARE_DIR),
        read(CONTENT, CONTENT_DIR),
        read(CONFIG, CONFIG_DIR),
        read(POD, POD_DIR),
    ]
}

pub(super) fn main_mounts(declared: &Declared) -> Vec<VolumeMount> {
    let claims = declared
        .volumes
        .iter()
        .map(|volume| mount(volume.name.as_str(), &volume.mount_path));
    let ours = [
        mount(AGENT_VOLUME, AGENT_DIR),
        read(SCRIPTS, SCRIPTS_DIR),
        mount(MIDDLEWARE, MIDDLEWARE_DIR),
        mount(TMP, TMP_DIR),
    ];
    let credentials = credentials_mount(declared);
    ours.into_iter().chain(claims).chain(credentials).collect()
}

pub(super) fn sidecar_mounts(declared: &Declared) -> Vec<VolumeMount> {
    let mut mounts = install_mounts();
    mounts.extend([read(TOKEN, TOKEN_DIR), mount(TMP, TMP_DIR)]);
    mounts.extend(credentials_mount(declared));
    mounts
}

fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}

fn read(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        read_only: Some(true),
        ..mount(volume, path)
    }
}

fn empty(name: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    }
}

fn config_map(volume: &str, name: String) -> Volume {
    Volume {
        name: volume.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name,
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// Readable for the group of the pod's volumes, which the process has, and for nobody else.
fn secret(volume: &str, name: String) -> Volume {
    Volume {
        name: volume.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(name),
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// Which revisions the pod is to run, kept up to date by the kubelet.
fn pod() -> Volume {
    let file = |path: &str, annotation: &str| DownwardAPIVolumeFile {
        path: path.to_owned(),
        field_ref: Some(ObjectFieldSelector {
            field_path: format!("metadata.annotations['{annotation}']"),
            ..ObjectFieldSelector::default()
        }),
        ..DownwardAPIVolumeFile::default()
    };
    Volume {
        name: POD.to_owned(),
        downward_api: Some(DownwardAPIVolumeSource {
            items: Some(vec![
                file(CONTENT_REVISION_FILE, labels::CONTENT_REVISION),
                file(CONFIG_REVISION_FILE, labels::CONFIG_REVISION),
            ]),
            ..DownwardAPIVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// The sidecar's own token, and what it knows the API server by.
fn token() -> Volume {
    let token = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            path: "token".to_owned(),
            expiration_seconds: Some(TOKEN_SECONDS),
            ..ServiceAccountTokenProjection::default()
        }),
        ..VolumeProjection::default()
    };
    let authority = VolumeProjection {
        config_map: Some(ConfigMapProjection {
            name: "kube-root-ca.crt".to_owned(),
            items: Some(vec![KeyToPath {
                key: "ca.crt".to_owned(),
                path: "ca.crt".to_owned(),
                mode: None,
            }]),
            optional: None,
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name: TOKEN.to_owned(),
        projected: Some(ProjectedVolumeSource {
            sources: Some(vec![token, authority]),
            ..ProjectedVolumeSource::default()
        }),
        ..Volume::default()
    }
}
