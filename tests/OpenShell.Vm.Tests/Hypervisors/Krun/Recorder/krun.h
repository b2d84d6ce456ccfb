/*
 * The calls of libkrun that this project makes, as the library's public header (include/libkrun.h) declares them, read at tags of
 * https://github.com/containers/libkrun. Written down apart from the C# bindings, so that the two can be held against each other.
 *
 * LEVEL is the minor version whose set of exports is wanted: 9, 11, 15, 17 or 19 (read at v1.9.8, v1.11.2, v1.15.1, v1.17.4, v1.19.0; what came
 * between them at v1.10.0 and v1.13.0). No signature below differs between any two of these tags that have it.
 */
#ifndef RECORDER_KRUN_H
#define RECORDER_KRUN_H

#include <stdbool.h>
#include <stdint.h>

/* v1.9.8 and all later ones */
int32_t krun_set_log_level(uint32_t level);
int32_t krun_create_ctx(void);
int32_t krun_free_ctx(uint32_t ctx);
int32_t krun_set_vm_config(uint32_t ctx, uint8_t vcpus, uint32_t mib);
int32_t krun_set_root(uint32_t ctx, const char *path);
int32_t krun_set_exec(uint32_t ctx, const char *path, const char *const argv[], const char *const envp[]);
int32_t krun_set_passt_fd(uint32_t ctx, int fd);
int32_t krun_set_gvproxy_path(uint32_t ctx, char *path);
int32_t krun_set_net_mac(uint32_t ctx, uint8_t *const mac);
int32_t krun_set_port_map(uint32_t ctx, const char *const map[]);
int32_t krun_set_console_output(uint32_t ctx, const char *path);
int32_t krun_start_enter(uint32_t ctx);

#if LEVEL >= 10 /* v1.10.0 */
int32_t krun_add_disk2(uint32_t ctx, const char *id, const char *path, uint32_t format, bool read_only);
int32_t krun_add_vsock_port2(uint32_t ctx, uint32_t port, const char *path, bool listen);
#endif

#if LEVEL >= 11 /* v1.11.0 */
int32_t krun_set_kernel(uint32_t ctx, const char *path, uint32_t format, const char *initramfs, const char *cmdline);
#endif

#if LEVEL >= 13 /* v1.13.0 */
int32_t krun_init_log(int fd, uint32_t level, uint32_t style, uint32_t options);
#endif

#if LEVEL >= 15 /* v1.15.0 */
int32_t krun_add_net_unixstream(uint32_t ctx, const char *path, int fd, uint8_t *const mac, uint32_t features, uint32_t flags);
int32_t krun_add_net_unixgram(uint32_t ctx, const char *path, int fd, uint8_t *const mac, uint32_t features, uint32_t flags);
#endif

#if LEVEL >= 17 /* v1.17.0 */
int32_t krun_add_disk3(uint32_t ctx, const char *id, const char *path, uint32_t format, bool read_only, bool direct_io, uint32_t sync);
int32_t krun_disable_implicit_vsock(uint32_t ctx);
int32_t krun_add_vsock(uint32_t ctx, uint32_t tsi);
int32_t krun_get_max_vcpus(void);
#endif

#if LEVEL >= 19 /* v1.19.0 */
int32_t krun_add_virtiofs3(uint32_t ctx, const char *tag, const char *path, uint64_t window, bool read_only);
int32_t krun_disable_implicit_init(uint32_t ctx);
#endif

#endif
