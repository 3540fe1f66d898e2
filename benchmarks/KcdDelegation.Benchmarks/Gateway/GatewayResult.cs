using System.Text.Json;
using KcdDelegation.Benchmarks.Report;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>One column of one row in one round.</summary>
/// <param name="RequestsPerSecond">The rate.</param>
/// <param name="ProcessorTime">The microseconds of processor time of the measured process for each request.</param>
/// <param name="Bytes">The bytes that the measured process allocated for each request.</param>
/// <param name="Busy">The share of the gateway's processors that the measured process used.</param>
/// <param name="BackendTime">The microseconds of processor time of the backend for each request.</param>
internal sealed record GatewayRound(
    double RequestsPerSecond, double ProcessorTime, double Bytes, double Busy, double BackendTime);

/// <summary>One column of one row in all rounds.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Users">The number of users of the row.</param>
internal sealed record GatewayCell(string Column, int Users)
{
    /// <summary>Gets the number of users of the other rows that the same process serves.</summary>
    public required int OtherUsers { get; init; }

    public List<GatewayRound> Rounds { get; init; } = [];

    /// <summary>Gets or sets the number of connections that were opened to the backend.</summary>
    public long Connections { get; set; }

    /// <summary>Gets or sets the resident memory of the process after the last round; of several, the largest.</summary>
    public long WorkingSet { get; set; }

    /// <summary>Gets or sets the number of processes that were measured one after another.</summary>
    public int Starts { get; set; } = 1;

    public double ConnectionsPerUser => (double)Connections / Users / Starts;

    /// <summary>Adds the rounds of another process with the same column, users and other users.</summary>
    public void Add(GatewayCell other)
    {
        Rounds.AddRange(other.Rounds);
        Starts += other.Starts;
        Connections += other.Connections;
        WorkingSet = Math.Max(WorkingSet, other.WorkingSet);
    }

    public double GetMedian(Func<GatewayRound, double> value) => Interleaved.Quantile([.. Rounds.Select(value)], 0.5);

    /// <summary>Returns the median of the rounds' ratios to another cell, whose rounds alternated with those of this one.</summary>
    public double GetRatio(GatewayCell other, Func<GatewayRound, double> value) => Interleaved.Quantile(
        [.. Rounds.Zip(other.Rounds, (own, others) => value(own) / value(others))], 0.5);

    /// <summary>Returns the median of the rounds' differences from another cell.</summary>
    public double GetDifference(GatewayCell other, Func<GatewayRound, double> value) => Interleaved.Quantile(
        [.. Rounds.Zip(other.Rounds, (own, others) => value(own) - value(others))], 0.5);
}

/// <summary>All rows with tickets of one size.</summary>
internal sealed record GatewayResult
{
    public required int TicketKilobytes { get; init; }

    /// <summary>Gets the length of the <c>Authorization</c> value.</summary>
    public required int HeaderLength { get; init; }

    public required string Machine { get; init; }

    public required string GatewayProcessors { get; init; }

    public required string OtherProcessors { get; init; }

    /// <summary>Gets the number of rounds of each start, half of which were kept.</summary>
    public required int Rounds { get; init; }

    /// <summary>Gets the largest number of starts of the processes of a row.</summary>
    public int Starts => Cells.Max(cell => cell.Starts);

    /// <summary>Gets whether rows were left out to save time.</summary>
    public required bool IsShort { get; init; }

    /// <summary>Gets why the largest row is missing; null if it is not.</summary>
    public string? LeftOut { get; init; }

    /// <summary>Gets the nanoseconds of the check of a token that was seen before.</summary>
    public required double TokenCheck { get; init; }

    /// <summary>Gets the bytes that this check allocates.</summary>
    public required long TokenCheckBytes { get; init; }

    public required IReadOnlyList<GatewayCell> Cells { get; init; }

    /// <summary>Keeps the half of the rounds with the least disturbance, determined over all cells.</summary>
    /// <remarks>Other load on the machine adds processor time, because it displaces data from the caches.</remarks>
    public static IEnumerable<GatewayCell> KeepQuietRounds(IReadOnlyList<GatewayCell> cells)
    {
        var medians = cells.Select(cell => cell.GetMedian(round => round.ProcessorTime)).ToArray();
        var rounds = cells[0].Rounds.Count;
        var quiet = Enumerable.Range(0, rounds)
            .OrderBy(round => cells.Select((cell, at) => cell.Rounds[round].ProcessorTime / medians[at]).Sum())
            .Take((rounds + 1) / 2)
            .ToArray();
        return cells.Select(cell => cell with { Rounds = [.. quiet.Select(round => cell.Rounds[round])] });
    }

    /// <summary>Finds a cell.</summary>
    /// <param name="column">The column's name.</param>
    /// <param name="users">The number of users of the row.</param>
    /// <param name="otherUsers">The number of users of the other rows of the process.</param>
    public GatewayCell? Find(string column, int users, int otherUsers) => Cells.FirstOrDefault(cell =>
        cell.Users == users && cell.OtherUsers == otherUsers && string.Equals(cell.Column, column, StringComparison.Ordinal));

    public static string GetPath(string directory, int ticketKilobytes) => Path.Combine(directory, $"gateway-{ticketKilobytes}.json");

    public static GatewayResult? Read(string directory, int ticketKilobytes) => File.Exists(GetPath(directory, ticketKilobytes))
        ? JsonSerializer.Deserialize<GatewayResult>(File.ReadAllText(GetPath(directory, ticketKilobytes)))
        : null;

    public void Write(string directory) => File.WriteAllText(GetPath(directory, TicketKilobytes), JsonSerializer.Serialize(this));
}
