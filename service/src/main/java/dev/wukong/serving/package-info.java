/** The service as a Spring Boot application: settings and wiring. */
@NullMarked
package dev.wukong.serving;

import org.jspecify.annotations.NullMarked;
