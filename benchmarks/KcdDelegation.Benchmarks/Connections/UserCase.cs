using System.Diagnostics;
using System.Security.Claims;
using System.Security.Cryptography;
using KcdDelegation.Headers;

namespace KcdDelegation.Benchmarks.Connections;

/// <summary>A number of users whose requests are sent at random, by 64 senders at a time.</summary>
internal sealed class UserCase : IDisposable
{
    private const int Senders = 64;

    private readonly HttpMessageInvoker[] _clients;
    private readonly Uri _url;
    private readonly ClaimsPrincipal[] _callers;
    private readonly BackendProcess _backend;
    private readonly string[] _values = [];

    /// <param name="users">The number of users.</param>
    /// <param name="url">The address of the server.</param>
    /// <param name="backend">The server.</param>
    /// <param name="credentials">The credentials of the users.</param>
    /// <param name="callers">The users.</param>
    /// <param name="isControl">Whether the requests are sent without <see cref="KcdHandler"/>, with a handler for each user and a constant
    /// header.</param>
    public UserCase(
        int users, Uri url, BackendProcess backend, DelegatedCredential[] credentials, ClaimsPrincipal[] callers, bool isControl = false)
    {
        (Users, IsControl, _url, _backend, _callers) = (users, isControl, url, backend, callers);
        if (isControl)
        {
            _values = [.. credentials.Take(users).Select(credential => credential.CreateAuthorization(TokenFormat.Kerberos).ToString())];
            _clients = [.. credentials.Take(users).Select(_ => new HttpMessageInvoker(CreateHandler()))];
        }
        else
            _clients =
                [new HttpMessageInvoker(new KcdHandler(new FixedDelegation(url, credentials), "app", CreateHandler, callers: null))];
    }

    public int Users { get; }

    public bool IsControl { get; }

    public List<double> RequestsPerSecond { get; } = [];

    /// <summary>Gets the microseconds of processor time of this process for each request, in each round.</summary>
    public List<double> ProcessorTime { get; } = [];

    public long Connections { get; private set; }

    /// <summary>Sends one request of each user, so that each has a connection.</summary>
    public async Task ConnectAsync()
    {
        var before = await _backend.CountConnectionsAsync();
        await Parallel.ForAsync(0, Users, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (user, _) => await SendAsync(user));
        Connections += await _backend.CountConnectionsAsync() - before;
    }

    /// <summary>Sends requests for a time.</summary>
    public async Task RunAsync(TimeSpan time)
    {
        var before = await _backend.CountConnectionsAsync();
        using var process = Process.GetCurrentProcess();
        var processor = process.TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            var count = 0;
            for (; Stopwatch.GetElapsedTime(start) < time; count++)
                await SendAsync(RandomNumberGenerator.GetInt32(Users));
            return count;
        })));
        var elapsed = Stopwatch.GetElapsedTime(start);
        process.Refresh();
        RequestsPerSecond.Add(counts.Sum() / elapsed.TotalSeconds);
        ProcessorTime.Add((process.TotalProcessorTime - processor).TotalMicroseconds / counts.Sum());
        Connections += await _backend.CountConnectionsAsync() - before;
    }

    public void Dispose()
    {
        foreach (var client in _clients)
            client.Dispose();
    }

    private async Task SendAsync(int user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _url);
        if (IsControl)
            request.Headers.TryAddWithoutValidation("Authorization", _values[user]);
        else
            request.SetCaller(_callers[user]);
        using var response = await _clients[IsControl ? user : 0].SendAsync(request, CancellationToken.None);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"The backend answered {response.StatusCode}.");
        await response.Content.CopyToAsync(Stream.Null);
    }

    private static SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost";
        return handler;
    }
}
