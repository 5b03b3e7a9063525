/**
 * What training hands to serving: one folder for each version of a model, written beside and
 * renamed into place, and verified whole before anything in it is used.
 */
@NullMarked
package dev.wukong.bundle;

import org.jspecify.annotations.NullMarked;
