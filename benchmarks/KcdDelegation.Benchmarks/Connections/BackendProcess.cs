using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KcdDelegation.Benchmarks.Connections;

/// <summary>A web server in a process of its own, so that the processor time of the client can be measured. It answers every request with
/// 1 KB and counts its connections.</summary>
internal sealed class BackendProcess : IDisposable
{
    /// <summary>The name of the page that runs the server.</summary>
    public const string Page = "users-backend";

    /// <summary>The processors of the server, as taskset takes them; null for those of the client.</summary>
    public static string? Processors { get; } =
        Environment.GetEnvironmentVariable("BACKEND_PROCESSORS") is { Length: > 0 } list ? list : null;

    private static readonly byte[] s_answer =
        [.. "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n"u8, .. new byte[1024]];

    private readonly Process _process;
    private readonly HttpClient _control = new();

    private BackendProcess(Process process, int port, int tlsPort)
    {
        _process = process;
        (Url, TlsUrl) = (new Uri($"http://localhost:{port}/"), new Uri($"https://localhost:{tlsPort}/"));
    }

    public Uri Url { get; }

    public Uri TlsUrl { get; }

    public static BackendProcess Start()
    {
        string[] command = [Environment.ProcessPath!, typeof(BackendProcess).Assembly.Location, Page, "-"];
        if (Processors is not null)
            command = ["taskset", "--cpu-list", Processors, .. command];
        var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        })!;
        var ports = process.StandardOutput.ReadLine()!.Split(' ');
        return new BackendProcess(
            process, int.Parse(ports[0], CultureInfo.InvariantCulture), int.Parse(ports[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Returns the number of connections that the server has accepted since its start, without those of this method.</summary>
    public async Task<long> CountConnectionsAsync() =>
        long.Parse(await _control.GetStringAsync(new Uri(Url, "/connections")), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _control.Dispose();
        // The server ends at the end of its input.
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>Runs the server until its input ends.</summary>
    public static async Task ServeAsync()
    {
        var counter = new Counter();
        using var plain = Listen(counter, certificate: null);
        using var tls = Listen(counter, CreateCertificate());
        Console.WriteLine($"{((IPEndPoint)plain.LocalEndpoint).Port} {((IPEndPoint)tls.LocalEndpoint).Port}");
        await Console.In.ReadToEndAsync();
    }

    private static TcpListener Listen(Counter counter, X509Certificate2? certificate)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(backlog: 4096);
        _ = AcceptAsync(listener, counter, certificate);
        return listener;
    }

    private static async Task AcceptAsync(TcpListener listener, Counter counter, X509Certificate2? certificate)
    {
        while (true)
            _ = ServeAsync(await listener.AcceptSocketAsync(), counter, certificate);
    }

    private static async Task ServeAsync(Socket socket, Counter counter, X509Certificate2? certificate)
    {
        var isCounted = false;
        try
        {
            socket.NoDelay = true;
            await using var network = new NetworkStream(socket, ownsSocket: true);
            Stream stream = network;
            if (certificate is not null)
            {
                var secure = new SslStream(network);
                await secure.AuthenticateAsServerAsync(certificate);
                stream = secure;
            }
            var buffer = new byte[8 << 10];
            var filled = 0;
            while (await stream.ReadAsync(buffer.AsMemory(filled)) is var read && read > 0)
            {
                filled += read;
                if (!buffer.AsSpan(0, filled).EndsWith("\r\n\r\n"u8))
                    continue;
                if (buffer.AsSpan(0, filled).StartsWith("GET /connections "u8))
                    await stream.WriteAsync(counter.ToAnswer());
                else
                {
                    if (!isCounted)
                        counter.Add();
                    isCounted = true;
                    await stream.WriteAsync(s_answer);
                }
                filled = 0;
            }
        }
        catch (IOException)
        {
            // The client closed the connection.
        }
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private sealed class Counter
    {
        private long _connections;

        public void Add() => Interlocked.Increment(ref _connections);

        public byte[] ToAnswer()
        {
            var text = Interlocked.Read(ref _connections).ToString(CultureInfo.InvariantCulture);
            return Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\n\r\n{text}");
        }
    }
}
