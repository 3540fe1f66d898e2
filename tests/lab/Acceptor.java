import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSCredential;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.Oid;
import sun.security.jgss.krb5.internal.TlsChannelBindingImpl;

/**
 * java Acceptor.java HTTP-PORT HTTPS-PORT KEYTAB PRINCIPAL PKCS12: checks Negotiate tokens, raw Kerberos or SPNEGO, with the JDK's
 * Kerberos. Under /cb the acceptor also compares the tls-server-end-point bindings (RFC 5929) of its certificate.
 *
 * The bindings are the JDK-internal TlsChannelBindingImpl. The public org.ietf.jgss.ChannelBinding hashes absent addresses as type 255,
 * MIT and Windows as type 0, so it matches no token of another implementation.
 */
public final class Acceptor {
    private static final String PASSWORD = "lab";

    private final Subject service;
    private final byte[] bindings;

    private Acceptor(Subject service, byte[] bindings) {
        this.service = service;
        this.bindings = bindings;
    }

    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(args[4])) {
            store.load(file, PASSWORD.toCharArray());
        }
        Acceptor acceptor = new Acceptor(logIn(args[2], args[3]), tlsServerEndPoint(store));

        HttpServer plain = HttpServer.create(loopback(args[0]), 0);
        plain.createContext("/", acceptor::handle);
        plain.start();

        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, PASSWORD.toCharArray());
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), null, null);
        HttpsServer secure = HttpsServer.create(loopback(args[1]), 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(tls));
        secure.createContext("/", acceptor::handle);
        secure.start();
    }

    private static InetSocketAddress loopback(String port) {
        return new InetSocketAddress("127.0.0.1", Integer.parseInt(port));
    }

    private static Subject logIn(String keytab, String principal) throws Exception {
        Map<String, String> options = Map.of(
            "useKeyTab", "true", "keyTab", keytab, "principal", principal, "storeKey", "true",
            "isInitiator", "false", "doNotPrompt", "true");
        Configuration configuration = new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {new AppConfigurationEntry(
                    "com.sun.security.auth.module.Krb5LoginModule", AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options)};
            }
        };
        LoginContext login = new LoginContext("acceptor", new Subject(), null, configuration);
        login.login();
        return login.getSubject();
    }

    private static byte[] tlsServerEndPoint(KeyStore store) throws Exception {
        byte[] certificate = store.getCertificate(store.aliases().nextElement()).getEncoded();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write("tls-server-end-point:".getBytes(StandardCharsets.US_ASCII));
        bytes.write(MessageDigest.getInstance("SHA-256").digest(certificate));
        return bytes.toByteArray();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String header = exchange.getRequestHeaders().getFirst("Authorization");
        if (header == null || !header.startsWith("Negotiate ")) {
            answer(exchange, 401, "Negotiate", "no token");
            return;
        }
        try {
            byte[] token = Base64.getDecoder().decode(header.substring("Negotiate ".length()));
            boolean bound = exchange.getRequestURI().getPath().startsWith("/cb");
            accept(exchange, token, bound);
        } catch (PrivilegedActionException e) {
            answer(exchange, 401, "Negotiate", "ERR " + e.getCause());
        } catch (RuntimeException e) {
            answer(exchange, 500, null, "ERR " + e);
        }
    }

    // Subject.doAs is deprecated in later JDKs, but available from 17 to 24.
    @SuppressWarnings("removal")
    private void accept(HttpExchange exchange, byte[] token, boolean bound) throws PrivilegedActionException, IOException {
        GSSContext context = Subject.doAs(service, (PrivilegedExceptionAction<GSSContext>) () -> {
            GSSManager manager = GSSManager.getInstance();
            Oid[] mechanisms = {new Oid("1.2.840.113554.1.2.2"), new Oid("1.3.6.1.5.5.2")};
            GSSCredential credential =
                manager.createCredential(null, GSSCredential.INDEFINITE_LIFETIME, mechanisms, GSSCredential.ACCEPT_ONLY);
            GSSContext created = manager.createContext(credential);
            if (bound) {
                created.setChannelBinding(new TlsChannelBindingImpl(bindings));
            }
            byte[] reply = created.acceptSecContext(token, 0, token.length);
            if (reply != null) {
                exchange.getResponseHeaders().add("WWW-Authenticate", "Negotiate " + Base64.getEncoder().encodeToString(reply));
            }
            return created;
        });
        try {
            answer(exchange, 200, null, "REMOTE_USER=" + context.getSrcName() + " MECH=" + context.getMech()
                + " established=" + context.isEstablished() + " mutual=" + context.getMutualAuthState());
        } catch (org.ietf.jgss.GSSException e) {
            throw new PrivilegedActionException(e);
        }
    }

    private static void answer(HttpExchange exchange, int status, String challenge, String text) throws IOException {
        if (challenge != null) {
            exchange.getResponseHeaders().add("WWW-Authenticate", challenge);
        }
        byte[] body = (text + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
