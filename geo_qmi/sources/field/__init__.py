"""Files that come back from a walk: one reader a tool, all giving the same tables; and the kit to collect with.

`geo_qmi.sources.field.reading.read_walk` is the door in, `geo_qmi.sources.field.kit.template_walk` the door out.
Nothing is imported here: the child process that parses files must stay light.
"""
