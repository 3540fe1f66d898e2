using KcdDelegation.Benchmarks.Gateway;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>The settings of nginx as a plain proxy that keeps its connections to the backend.</summary>
internal static class NginxSettings
{
    public const string Program = "/usr/sbin/nginx";

    public static string Create(string folder, Uri url, string backend) => $$"""
        daemon off;
        worker_processes {{ProcessorSet.Gateway.Count}};
        pid {{folder}}/nginx.pid;
        error_log {{folder}}/nginx.log;
        events { worker_connections 4096; }
        http {
          access_log off;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          keepalive_requests 1000000000;
          upstream backend {
            server {{new Uri(backend).Authority}};
            keepalive 64;
            keepalive_requests 1000000000;
          }
          server {
            listen {{url.Authority}};
            location / {
              proxy_pass http://backend;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
            }
          }
        }
        """;
}
