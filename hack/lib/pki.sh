# shellcheck shell=bash
# Certificates of a cluster, made with openssl in $DIR/pki, and the kubeconfigs
# made of them. Elliptic keys, because those take milliseconds. A file that is
# there is kept.

# authority NAME - a certificate authority.
authority() {
	local path="$DIR/pki/$1"
	[[ ! -s $path.crt ]] || return 0
	mkdir -p "$DIR/pki"
	(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
		-subj "/CN=paamesh-dev-$1" -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$path.key" -out "$path.crt.new" 2>/dev/null) && mv "$path.crt.new" "$path.crt"
}

# certificate AUTHORITY NAME SUBJECT [ALTERNATIVE NAMES] - for server and client.
certificate() {
	local authority="$DIR/pki/$1" path="$DIR/pki/$2" subject=$3 names=${4:-}
	[[ ! -s $path.crt ]] || return 0
	(
		umask 077
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" \
			-keyout "$path.key" -out "$path.csr" 2>/dev/null
		{
			printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n'
			[[ -z $names ]] || printf 'subjectAltName=%s\n' "$names"
		} >"$path.ext"
		openssl x509 -req -in "$path.csr" -CA "$authority.crt" -CAkey "$authority.key" \
			-set_serial "0x$(openssl rand -hex 8)" -days 3650 -extfile "$path.ext" -out "$path.crt.new" 2>/dev/null
		rm "$path.csr" "$path.ext"
		mv "$path.crt.new" "$path.crt"
	)
}

# service_account_keys - the pair that signs and verifies tokens.
service_account_keys() {
	[[ ! -s $DIR/pki/sa.pub ]] || return 0
	(
		umask 077
		openssl ecparam -genkey -name prime256v1 -noout -out "$DIR/pki/sa.key"
		openssl ec -in "$DIR/pki/sa.key" -pubout -out "$DIR/pki/sa.pub.new" 2>/dev/null
		mv "$DIR/pki/sa.pub.new" "$DIR/pki/sa.pub"
	)
}

# kubeconfig FILE SERVER CERTIFICATE - embeds everything, so that it can be moved.
kubeconfig() {
	local path="$DIR/pki/$3"
	(
		umask 077
		cat >"$1.new" <<-END
			apiVersion: v1
			kind: Config
			clusters:
			- name: paamesh
			  cluster:
			    server: $2
			    certificate-authority-data: $(base64 -w0 "$DIR/pki/ca.crt")
			users:
			- name: $3
			  user:
			    client-certificate-data: $(base64 -w0 "$path.crt")
			    client-key-data: $(base64 -w0 "$path.key")
			contexts:
			- name: paamesh
			  context: {cluster: paamesh, user: $3}
			current-context: paamesh
		END
		mv "$1.new" "$1"
	)
}
