#include "cli/settings.h"

#include <string.h>
#include <sys/stat.h>

#ifndef VCUBE_VERSION
#define VCUBE_VERSION "0.1.0"
#endif

/* An option that may be given several times, or with commas between. */
static vc_status read_list(const vc_arguments *arguments, const char *name, vc_arena *arena,
                           vc_config_list *list, vc_error *error)
{
    size_t count = 0, size = 0;
    for (size_t i = 0; i < arguments->ngiven; i++)
        if (strcmp(arguments->given[i].option->name, name) == 0)
            size += strlen(arguments->given[i].value) + 1;
    if (size == 0) return VC_OK;
    const char **items = VC_ARENA_NEW(arena, const char *, size + 1);
    if (items == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < arguments->ngiven; i++) {
        if (strcmp(arguments->given[i].option->name, name) != 0) continue;
        for (vc_str rest = vc_str_of(arguments->given[i].value); !vc_str_is_null(rest);) {
            vc_str part = vc_str_split(&rest, ',');
            items[count] = vc_arena_str(arena, part).data;
            if (items[count++] == NULL) return vc_no_memory(error);
        }
    }
    *list = (vc_config_list){items, count};
    return VC_OK;
}

static void read_texts(const vc_arguments *arguments, vc_config *config)
{
    const struct {
        const char *name, **value;
    } texts[] = {{"listen", &config->listen},     {"data", &config->data},
                 {"tokens", &config->tokens},     {"roles", &config->roles_file},
                 {"tls-cert", &config->tls_cert}, {"tls-key", &config->tls_key},
                 {"log-file", &config->log_file}};
    const struct {
        const char *name;
        bool *value;
    } switches[] = {{"read-only", &config->is_read_only},
                    {"create", &config->creates},
                    {"log", &config->logs_requests},
                    {"insecure-listen", &config->may_listen_openly}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *given = vc_arguments_get(arguments, texts[i].name);
        if (given != NULL) *texts[i].value = given;
    }
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        if (vc_arguments_get(arguments, switches[i].name) != NULL) *switches[i].value = true;
    const char *store = vc_cli_store_directory(arguments);
    if (store != NULL && *store != '\0') config->store = store;
    if (config->listen == NULL) config->listen = "127.0.0.1:8080";
}

static vc_status read_numbers(const vc_arguments *arguments, vc_config *config, vc_error *error)
{
    const struct {
        const char *name;
        uint64_t *value, max; /* 0: bytes */
    } numbers[] = {{"workers", &config->nworkers, 256},
                   {"max-cells", &config->max_cells, INT64_MAX},
                   {"max-time-ms", &config->max_time_ms, 86400000},
                   {"slow-ms", &config->slow_ms, 86400000},
                   {"max-memory", &config->max_memory, 0},
                   {"cache", &config->cache, 0},
                   {"max-load", &config->max_load, 0}};
    vc_status status = VC_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == VC_OK; i++)
        status = numbers[i].max > 0
                     ? vc_arguments_number(arguments, numbers[i].name, 1, numbers[i].max,
                                           *numbers[i].value, numbers[i].value, error)
                     : vc_arguments_bytes(arguments, numbers[i].name, *numbers[i].value,
                                          numbers[i].value, error);
    return status;
}

static vc_status check_data(const vc_config *config, vc_error *error)
{
    struct stat about;
    if (config->data == NULL || (stat(config->data, &about) == 0 && S_ISDIR(about.st_mode)))
        return VC_OK;
    return vc_fail(error, VC_NOT_FOUND, "missing_file", "--data: there is no folder '%s'",
                   config->data);
}

static void fill_options(vc_settings *settings)
{
    const vc_config *config = &settings->config;
    vc_server_options *options = &settings->options;
    options->address = settings->address;
    options->may_listen_openly = config->may_listen_openly;
    options->tls_certificate = config->tls_cert;
    options->tls_key = config->tls_key;
    options->version = VCUBE_VERSION;
    options->nworkers = (unsigned)config->nworkers;
    options->max_connections = (unsigned)config->max_connections;
    options->cache_bytes = config->cache;
    options->max_load_bytes = config->max_load;
    options->data_directory = config->data;
    options->is_read_only = config->is_read_only;
    options->limits = (vc_engine_limits){.max_cells = config->max_cells,
                                         .max_time_ms = config->max_time_ms,
                                         .max_memory_bytes = config->max_memory};
    options->roles = settings->roles;
    options->tokens_path = config->tokens;
    options->hosts = config->hosts.items;
    options->nhosts = config->hosts.count;
    options->origins = config->cors.items;
    options->norigins = config->cors.count;
    options->log_file = config->log_file;
    options->logs_requests = config->logs_requests;
    options->slow_ms = (unsigned)config->slow_ms;
    options->is_quiet = vc_cli_is_quiet();
}

vc_status vc_settings_read(const vc_arguments *arguments, vc_settings *settings, vc_error *error)
{
    const char *file = vc_arguments_get(arguments, "config");
    vc_config *config = &settings->config;
    *settings = (vc_settings){0};
    vc_status status = file != NULL ? vc_config_read(file, config, error) : VC_OK;
    if (status != VC_OK) return status;
    read_texts(arguments, config);
    status = read_numbers(arguments, config, error);
    if (status == VC_OK)
        status = read_list(arguments, "cors", &config->arena, &config->cors, error);
    if (status == VC_OK)
        status = read_list(arguments, "host", &config->arena, &config->hosts, error);
    if (status == VC_OK)
        status = vc_listen_parse(vc_str_of(config->listen), settings->address,
                                 &settings->options.port, error);
    if (status == VC_OK) status = check_data(config, error);
    if (status == VC_OK) status = vc_config_roles(config, &settings->roles, error);
    if (status == VC_OK)
        fill_options(settings);
    else
        vc_settings_release(settings);
    return status;
}

void vc_settings_release(vc_settings *settings)
{
    vc_roles_release(settings->roles);
    vc_config_release(&settings->config);
    *settings = (vc_settings){0};
}

bool vc_settings_can_change(const vc_arguments *arguments, const vc_settings *settings)
{
    const vc_config *config = &settings->config;
    return vc_arguments_get(arguments, "config") != NULL || config->roles_file != NULL ||
           config->tokens != NULL || config->tls_cert != NULL || config->log_file != NULL;
}
