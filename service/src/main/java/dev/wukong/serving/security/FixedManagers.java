package dev.wukong.serving.security;

import java.security.KeyStore;
import java.security.Provider;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.KeyManagerFactorySpi;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.TrustManagerFactorySpi;
import org.jspecify.annotations.Nullable;

/** Factories that give the manager they were made with, whatever they are told. */
final class FixedManagers {
  /** Of no security provider: the constructors want one. */
  private static final Provider NONE = new Provider("wukong", "1", "managers that are given") {};

  private FixedManagers() {}

  static KeyManagerFactory keys(KeyManager manager) {
    return new KeyManagerFactory(new Keys(manager), NONE, "given") {};
  }

  static TrustManagerFactory trust(TrustManager manager) {
    return new TrustManagerFactory(new Trust(manager), NONE, "given") {};
  }

  private static final class Keys extends KeyManagerFactorySpi {
    private final KeyManager manager;

    Keys(KeyManager manager) {
      this.manager = manager;
    }

    @Override
    protected void engineInit(@Nullable KeyStore store, char @Nullable [] password) {}

    @Override
    protected void engineInit(ManagerFactoryParameters parameters) {}

    @Override
    protected KeyManager[] engineGetKeyManagers() {
      return new KeyManager[] {manager};
    }
  }

  private static final class Trust extends TrustManagerFactorySpi {
    private final TrustManager manager;

    Trust(TrustManager manager) {
      this.manager = manager;
    }

    @Override
    protected void engineInit(@Nullable KeyStore store) {}

    @Override
    protected void engineInit(ManagerFactoryParameters parameters) {}

    @Override
    protected TrustManager[] engineGetTrustManagers() {
      return new TrustManager[] {manager};
    }
  }
}
