using System.Net.Sockets;
using KcdDelegation.Benchmarks.Gateway;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>The local socket on which the runtime of a measured program answers questions.</summary>
internal sealed class RuntimeChannel : IDisposable
{
    /// <summary>The environment variable with the path of the socket.</summary>
    public const string Variable = "KCD_BENCHMARK_SOCKET";

    /// <summary>The command that collects garbage and then answers as <see cref="ProcessUsage.Command"/> does.</summary>
    public const string Collect = "collect";

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _path;
    private NetworkStream? _stream;
    private StreamReader? _reader;
    private StreamWriter? _writer;

    public RuntimeChannel(string path)
    {
        _path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
    }

    /// <summary>Gets the environment of the program.</summary>
    public IEnumerable<(string Name, string Value)> Environment =>
        [("DOTNET_STARTUP_HOOKS", typeof(StartupHook).Assembly.Location), (Variable, _path)];

    /// <summary>Waits until the program has connected.</summary>
    public async Task AcceptAsync(CancellationToken cancellationToken)
    {
        _stream = new NetworkStream(await _listener.AcceptAsync(cancellationToken), ownsSocket: true);
        (_reader, _writer) = (new StreamReader(_stream), new StreamWriter(_stream) { AutoFlush = true });
    }

    public string Ask(string command)
    {
        _writer!.WriteLine(command);
        return _reader!.ReadLine() ?? throw new InvalidOperationException("The measured program ended unexpectedly.");
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _reader?.Dispose();
        _stream?.Dispose();
        _listener.Dispose();
    }
}
