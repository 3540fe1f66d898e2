using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests;

public sealed class ServiceTicketTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    private string FilePath => Path.Combine(_directory.FullName, "cc");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_credential_cache_has_the_tickets_session_key()
    {
        await using var realm = Start();
        var ticket = realm.IssueTicket("ada", "HTTP/app");

        await ticket.WriteCredentialCacheAsync(FilePath, TestContext.Current.CancellationToken);

        var file = await File.ReadAllBytesAsync(FilePath, TestContext.Current.CancellationToken);
        file.AsSpan().IndexOf(ticket.Issued.SessionKey.Bytes).ShouldBePositive();
    }

    [Fact]
    public async Task Of_a_ticket_whose_key_is_gone_no_credential_cache_is_written()
    {
        await using var realm = Start();
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        // As when the client is disposed between the ticket's check and the reading of its key.
        ticket.Issued.SessionKey.Dispose();

        var error = await Should.ThrowAsync<InvalidOperationException>(
            () => ticket.WriteCredentialCacheAsync(FilePath, TestContext.Current.CancellationToken));

        error.Message.ShouldContain("client of the ticket is disposed");
        _directory.EnumerateFiles().ShouldBeEmpty();
    }

    private static TestRealm Start() => TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
}
