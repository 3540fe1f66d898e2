using System.Net;

namespace KcdDelegation.Kerberos.Recording;

/// <summary>The requests that a client sent to KDCs, and their answers, without keys, ciphers, checksums and nonces. Thread-safe.</summary>
/// <remarks>A client without a recorder only compares a reference with null for each exchange. A recorder grows with every exchange, so it
/// is for one diagnostic run and not for a service.</remarks>
internal sealed class ExchangeRecorder(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<RecordedExchange> _exchanges = [];
    private readonly long _start = time.GetTimestamp();

    /// <summary>Gets the time of the recorder's creation. The times of exchanges count from here.</summary>
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    /// <summary>Returns the exchanges so far, in the order in which they began.</summary>
    public IReadOnlyList<RecordedExchange> GetExchanges()
    {
        lock (_lock)
            return [.. _exchanges];
    }

    /// <summary>Creates the recording of one request that is sent to the KDCs of a realm.</summary>
    /// <param name="stage">The step that needs the request.</param>
    /// <param name="realm">The realm whose KDCs are asked.</param>
    public RecordedDispatch StartDispatch(KerberosExchange? stage, string realm) => new(this, stage, realm);

    /// <summary>Adds an exchange that has not been answered yet.</summary>
    internal RecordedExchange Add(RecordedDispatch dispatch, RecordedKdc kdc, RecordedRequest? request)
    {
        lock (_lock)
        {
            var exchange = new RecordedExchange(this, dispatch, kdc, request, GetOffset());
            _exchanges.Add(exchange);
            return exchange;
        }
    }

    /// <summary>Adds an attempt that sent nothing. The same failure of the same KDC is counted, because a KDC that refuses connections is
    /// asked again for some seconds.</summary>
    internal void AddUnsent(RecordedDispatch dispatch, RecordedKdc kdc, string failure)
    {
        lock (_lock)
        {
            var earlier = _exchanges.FindLast(exchange =>
                exchange.Dispatch == dispatch && exchange.Request is null && exchange.Kdc == kdc && exchange.Failure == failure);
            if (earlier is not null)
                earlier.Repeat();
            else
                Add(dispatch, kdc, request: null).TryFail(failure);
        }
    }

    internal TimeSpan GetOffset() => time.GetElapsedTime(_start);

    internal DateTimeOffset GetUtcNow() => time.GetUtcNow();
}

/// <summary>The KDC of an exchange.</summary>
/// <param name="Host">The host name or address as configured or found.</param>
/// <param name="Port">The port.</param>
/// <param name="IsUdp">Whether the request was sent over UDP.</param>
/// <param name="Address">The address of the connection, or null if there was none.</param>
internal sealed record RecordedKdc(string Host, int Port, bool IsUdp, IPAddress? Address);

/// <summary>One request of an exchange, which several KDCs may receive.</summary>
internal sealed class RecordedDispatch(ExchangeRecorder recorder, KerberosExchange? stage, string realm)
{
    public KerberosExchange? Stage => stage;

    public string Realm => realm;

    public RecordedAttempt StartAttempt(string host, int port, bool isUdp) => new(recorder, this, new RecordedKdc(host, port, isUdp, null));
}

/// <summary>One attempt at one KDC, which may send its request on several connections. Thread-safe.</summary>
internal sealed class RecordedAttempt(ExchangeRecorder recorder, RecordedDispatch dispatch, RecordedKdc kdc)
{
    private readonly Lock _lock = new();
    private readonly List<RecordedExchange> _sent = [];

    /// <summary>Records that the request is sent.</summary>
    /// <param name="message">The encoded request.</param>
    /// <param name="remote">The KDC's end of the connection.</param>
    /// <param name="isUdp">Whether the connection is over UDP.</param>
    public RecordedExchange Send(ReadOnlyMemory<byte> message, EndPoint? remote, bool isUdp)
    {
        var address = (remote as IPEndPoint)?.Address;
        var exchange = recorder.Add(
            dispatch, kdc with { Address = address, IsUdp = isUdp }, RecordedRequest.FromMessage(message));
        lock (_lock)
            _sent.Add(exchange);
        return exchange;
    }

    /// <summary>Ends the exchanges that have no answer.</summary>
    /// <param name="failure">Why the KDC gave no answer, or null if it gave one on another connection.</param>
    public void End(string? failure)
    {
        lock (_lock)
        {
            var isRecorded = failure is null;
            foreach (var exchange in _sent)
                isRecorded |= exchange.TryFail(failure ?? "did not answer on this connection before another one was answered");
            if (!isRecorded)
                recorder.AddUnsent(dispatch, kdc, failure!);
        }
    }
}
