using System.Globalization;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The exchanges behind a ticket, and the ticket or the failure at their end. No key, ticket or password is part of it.</summary>
internal sealed record TraceResult : CommandResult
{
    private readonly FailureResult? _failure;

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Gets whether names are replaced.</summary>
    public required bool Anonymous { get; init; }

    public required IReadOnlyList<TracedExchange> Exchanges { get; init; }

    /// <summary>Gets the object of <c>kcd ticket --json</c>; null if there is no ticket.</summary>
    public TicketResult? Ticket { get; init; }

    /// <summary>Gets the failure; null if there is a ticket.</summary>
    public FailureDetails? Error => _failure?.Error;

    /// <param name="recorder">The recorder of the exchanges, which have ended.</param>
    /// <param name="ticket">The ticket, or null.</param>
    /// <param name="failure">The failure, or null if there is a ticket.</param>
    /// <param name="names">How names are shown.</param>
    public static TraceResult FromRecords(
        ExchangeRecorder recorder, TicketResult? ticket, FailureResult? failure, TraceNames names) =>
        new(failure?.WithTexts(text => names.ShowText(text)))
        {
            StartedAt = recorder.StartedAt,
            Anonymous = names.IsAnonymous,
            Exchanges =
            [
                .. recorder.GetExchanges().Select((exchange, index) =>
                    TracedExchange.FromRecord(exchange, index + 1, recorder.StartedAt, names)),
            ],
            Ticket = ticket,
        };

    private TraceResult(FailureResult? failure) => _failure = failure;

    public override ExitCode ToExitCode() => _failure?.ToExitCode() ?? ExitCode.Done;

    public override void WriteText(OutputStream output)
    {
        output.Writer.WriteLine($"Exchanges with KDCs, started at {TicketResult.FormatTime(StartedAt)}, times in UTC");
        foreach (var exchange in Exchanges)
        {
            output.Writer.WriteLine();
            exchange.WriteText(output);
        }
        output.Writer.WriteLine();
        if (Exchanges.Count == 0)
            output.Writer.WriteLine("No KDC was asked.");
        if (Ticket is not null)
        {
            output.Writer.WriteLine("Ticket");
            Ticket.WriteText(output);
        }
        _failure?.WriteText(output);
    }

    public static double ToMilliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);

    public static string Join(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}

/// <summary>A request to one KDC and its answer.</summary>
internal sealed record TracedExchange
{
    public required int Number { get; init; }

    /// <summary>Gets the step of the delegation.</summary>
    public required string Stage { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>Gets the time since the start of the transcript.</summary>
    public required double OffsetMilliseconds { get; init; }

    public required TracedKdc Kdc { get; init; }

    /// <summary>Gets the request; null if there was no connection.</summary>
    public TracedRequest? Request { get; init; }

    public required IReadOnlyList<TracedReply> Replies { get; init; }

    /// <summary>Gets why there is no reply.</summary>
    public string? NoReply { get; init; }

    /// <summary>Gets the number of further attempts with the same failure; null if there was none.</summary>
    public int? Repetitions { get; init; }

    /// <summary>Gets the time of the last repetition since the start of the transcript.</summary>
    public double? LastOffsetMilliseconds { get; init; }

    public static TracedExchange FromRecord(RecordedExchange exchange, int number, DateTimeOffset start, TraceNames names)
    {
        var (repetitions, lastOffset) = exchange.Repetitions;
        return new TracedExchange
        {
            Number = number,
            Stage = ProtocolNames.FormatStage(exchange.Dispatch.Stage),
            Time = start + exchange.Offset,
            OffsetMilliseconds = TraceResult.ToMilliseconds(exchange.Offset),
            Kdc = TracedKdc.FromRecord(exchange.Kdc, exchange.Dispatch.Realm, names),
            Request = exchange.Request is { } request ? TracedRequest.FromRecord(request, names) : null,
            Replies = [.. exchange.Replies.Select(reply => TracedReply.FromRecord(reply, names))],
            NoReply = exchange.Replies.IsEmpty ? names.ShowText(exchange.Failure ?? "did not answer before the exchange ended") : null,
            Repetitions = repetitions > 0 ? repetitions : null,
            LastOffsetMilliseconds = repetitions > 0 ? TraceResult.ToMilliseconds(lastOffset) : null,
        };
    }

    public void WriteText(OutputStream output)
    {
        output.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Number}. {Stage}"));
        var lines = new LabelledLines
        {
            {
                "time",
                string.Create(CultureInfo.InvariantCulture, $"{Time:HH:mm:ss.fff}, {OffsetMilliseconds:0.0} ms after the start")
            },
            { "KDC", Kdc.ToString() },
        };
        Request?.AddTo(lines);
        foreach (var reply in Replies)
            reply.AddTo(lines);
        if (NoReply is not null)
        {
            var repeated = Repetitions is { } count
                ? string.Create(CultureInfo.InvariantCulture, $", {count + 1} times until {LastOffsetMilliseconds:0.0} ms after the start")
                : "";
            lines.Add(Request is null ? "no request" : "no reply", $"the KDC {NoReply}{repeated}");
        }
        lines.Write(output);
    }
}

/// <param name="Host">The host as configured or found.</param>
/// <param name="Port">The port.</param>
/// <param name="Transport">TCP or UDP.</param>
/// <param name="Address">The address of the connection; null if there was none.</param>
/// <param name="Realm">The realm whose KDC it is.</param>
internal sealed record TracedKdc(string Host, int Port, string Transport, string? Address, string Realm)
{
    public static TracedKdc FromRecord(RecordedKdc kdc, string realm, TraceNames names) => new(
        names.ShowHost(kdc.Host), kdc.Port, kdc.IsUdp ? "UDP" : "TCP", kdc.Address is { } address ? names.ShowAddress($"{address}") : null,
        names.ShowRealm(realm));

    public override string ToString()
    {
        var address = Address is null ? "not connected" : $"address {Address}";
        return string.Create(CultureInfo.InvariantCulture, $"{Host}, {address}, port {Port}, {Transport}, of realm {Realm}");
    }
}
