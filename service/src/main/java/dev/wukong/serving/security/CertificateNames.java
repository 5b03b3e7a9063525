package dev.wukong.serving.security;

import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The names in a certificate that was verified: {@code uri:...}, {@code dns:...}, {@code cn:...}.
 */
final class CertificateNames {
  private static final int DNS = 2;
  private static final int URI = 6;

  private CertificateNames() {}

  /** Of whom a connection is with; empty where it showed none. */
  static List<String> of(@Nullable SSLSession session) {
    if (session == null) {
      return List.of();
    }
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate own ? of(own) : List.of();
    } catch (SSLPeerUnverifiedException e) {
      return List.of(); // Without one.
    }
  }

  /** Of a certificate; empty where its names cannot be read. */
  static List<String> of(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    try {
      Collection<List<?>> others = certificate.getSubjectAlternativeNames();
      if (others != null) {
        for (int type : new int[] {URI, DNS}) {
          for (List<?> other : others) {
            if (other.get(0).equals(type)) {
              names.add((type == URI ? "uri:" : "dns:") + other.get(1));
            }
          }
        }
      }
      for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        if (part.getType().equalsIgnoreCase("CN")) {
          names.add("cn:" + part.getValue());
        }
      }
    } catch (CertificateParsingException | InvalidNameException e) {
      return List.of(); // Who it is cannot be told: nobody that is known.
    }
    return names;
  }
}
