namespace KcdDelegation.Kerberos.Tests.AccountKeys;

/// <summary>A directory with the password of one managed account, which tests change and make unavailable.</summary>
internal sealed class ManagedPasswordDirectory : IManagedPasswordSource
{
    private int _reads;

    public ManagedPasswordDirectory(string current, string? previous = null) => (Current, Previous) = (current, previous);

    public string Current { get; private set; }

    public string? Previous { get; private set; }

    public TimeSpan QueryInterval { get; set; } = ManagedPasswordBlob.DefaultQueryInterval;

    public TimeSpan UnchangedInterval { get; set; } = ManagedPasswordBlob.DefaultUnchangedInterval;

    public ManagedPasswordException? Failure { get; set; }

    public int Reads => Volatile.Read(ref _reads);

    public void Change(string next) => (Previous, Current) = (Current, next);

    public Task<ManagedPassword> ReadAsync(string account, CancellationToken cancellationToken)
    {
        account.ShouldBe("gmsa$");
        Interlocked.Increment(ref _reads);
        return Failure is { } failure
            ? Task.FromException<ManagedPassword>(failure)
            : Task.FromResult(ManagedPassword.Parse(ManagedPasswordBlob.Write(Current, Previous, QueryInterval, UnchangedInterval)));
    }
}
