"""An OpenID Connect provider on loopback: oauthlib speaks the protocol, PKCE is required."""

import json
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth2 import FatalClientError, OAuth2Error
from oauthlib.openid import RequestValidator
from oauthlib.openid.connect.core.endpoints.pre_configured import Server

CLIENT_ID, CLIENT_SECRET = "dashboard", "a secret of the client"
FORM = """<!doctype html><title>Example login</title><form method="post">
<label>User <input name="user" autofocus></label><button>Log in</button>
<button name="deny" value="1">Cancel</button></form>"""


class Client:
    client_id = CLIENT_ID


class Validator(RequestValidator):
    """The one client, its codes and its tokens."""

    def __init__(self, provider):
        self.provider, self.codes, self.tokens = provider, {}, {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def validate_client_id(self, client_id, request, *args, **kwargs):
        return client_id == CLIENT_ID

    def validate_redirect_uri(self, client_id, redirect_uri, request, *args, **kwargs):
        return redirect_uri.endswith("/login/oidc/callback/")

    def validate_user_match(self, id_token_hint, scopes, claims, request):
        return True

    def validate_response_type(self, client_id, response_type, *args, **kwargs):
        return response_type == "code"

    def validate_scopes(self, client_id, scopes, *args, **kwargs):
        return set(scopes) <= {"openid", "profile", "email", "groups"}

    def is_pkce_required(self, client_id, request):
        return True

    def save_authorization_code(self, client_id, code, request, *args, **kwargs):
        self.codes[code["code"]] = {
            "user": request.user,
            "scopes": request.scopes,
            "redirect_uri": request.redirect_uri,
            "challenge": request.code_challenge,
            "method": request.code_challenge_method,
        }

    def get_authorization_code_scopes(self, client_id, code, redirect_uri, request):
        return self.codes[code]["scopes"] if code in self.codes else []

    def get_authorization_code_nonce(self, client_id, code, redirect_uri, request):
        return None

    def get_code_challenge(self, code, request):
        return self.codes[code]["challenge"]

    def get_code_challenge_method(self, code, request):
        return self.codes[code]["method"]

    def authenticate_client(self, request, *args, **kwargs):
        request.client = Client()
        return (request.client_id, request.client_secret) == (CLIENT_ID, CLIENT_SECRET)

    def validate_grant_type(self, client_id, grant_type, *args, **kwargs):
        return grant_type == "authorization_code"

    def validate_code(self, client_id, code, client, request, *args, **kwargs):
        found = self.codes.get(code)
        if found:
            request.user, request.scopes = found["user"], found["scopes"]
        return found is not None

    def confirm_redirect_uri(self, client_id, code, redirect_uri, *args, **kwargs):
        return redirect_uri == self.codes[code]["redirect_uri"]

    def invalidate_authorization_code(self, client_id, code, request, *args, **kwargs):
        del self.codes[code]

    def save_bearer_token(self, token, request, *args, **kwargs):
        self.tokens[token["access_token"]] = request.user

    def finalize_id_token(self, id_token, token, token_handler, request):
        claims = {"iss": self.provider.url, "sub": request.user, "exp": id_token["iat"] + 300}
        return jwt.encode(id_token | claims, self.key, "RS256")

    def validate_bearer_token(self, token, scopes, request):
        request.user = self.tokens.get(token)
        return request.user is not None

    def get_userinfo_claims(self, request):
        return {"sub": request.user} | self.provider.users[request.user]


class Provider:
    """A provider, its users by subject, and its response in place of its discovery document."""

    def __init__(self):
        self.users, self.broken, self.url = {}, None, ""
        self.oauth = Server(Validator(self))

    def add(self, name, **claims):
        """Add a user, or change the claims of one."""
        self.users[name] = {"preferred_username": name, "email": f"{name}@corp.example"} | claims

    def __call__(self, environ, start_response):
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size).decode()
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        uri = f"{self.url}{path}?{environ['QUERY_STRING']}"
        headers = {"Authorization": environ.get("HTTP_AUTHORIZATION", "")}
        if method == "POST":
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        try:
            headers, text, status = self.respond(path, uri, method, body, headers)
        except FatalClientError as error:
            headers, text, status = {}, str(error), 400
        start_response(f"{status} -", [(name, str(value)) for name, value in headers.items()])
        return [(text or "").encode()]

    def respond(self, path, uri, method, body, headers):
        if path == "/.well-known/openid-configuration":
            return {"Content-Type": "application/json"}, *(self.broken or self.discovery())
        if path == "/token":
            return self.oauth.create_token_response(uri, method, body, headers)
        if path == "/userinfo":
            return self.oauth.create_userinfo_response(uri, method, body, headers)
        if path != "/authorize":
            return {}, "", 404
        scopes, credentials = self.oauth.validate_authorization_request(uri)
        if method == "GET":
            return {"Content-Type": "text/html"}, FORM, 200
        form = parse_qs(body)
        credentials["user"] = form.get("user", [""])[0]
        if "deny" in form or credentials["user"] not in self.users:
            error = OAuth2Error(state=credentials["state"])
            error.error = "access_denied" if "deny" in form else "login_required"
            return {"Location": error.in_uri(credentials["redirect_uri"])}, "", 302
        return self.oauth.create_authorization_response(uri, "GET", None, {}, scopes, credentials)

    def discovery(self):
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }
        return json.dumps(document), 200


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def running(provider, port=0):
    """Serve a provider on loopback."""
    with make_server("127.0.0.1", port, provider, Threads, Quiet) as server:
        # Another host name than the dashboard's, so that its cookies are its own.
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
