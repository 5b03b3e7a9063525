package dev.wukong.serving.testing;

import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.ConfigurableApplicationContext;

/** Parts of a service that a test has stand before its own, each of which the service closes. */
public final class Parts {
  /** All are the service's own. */
  static final Parts SERVICE = new Parts();

  private final Map<Class<?>, UnaryOperator<Object>> before = new HashMap<>();

  /** Has what {@code before} makes of the service's only {@code part} used instead of that. */
  public <T> Parts with(Class<T> part, UnaryOperator<T> instead) {
    before.put(part, own -> instead.apply(part.cast(own)));
    return this;
  }

  void putInto(ConfigurableApplicationContext context) {
    context
        .getBeanFactory()
        .addBeanPostProcessor(
            new BeanPostProcessor() {
              @Override
              public Object postProcessAfterInitialization(Object bean, String name) {
                Object used = bean;
                for (var part : before.entrySet()) {
                  if (part.getKey().isInstance(used)) {
                    used = part.getValue().apply(used);
                  }
                }
                return used;
              }
            });
  }
}
