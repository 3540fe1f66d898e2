using KcdDelegation.DirectoryServices.Tests.Servers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Tests.AccountKeys;

namespace KcdDelegation.DirectoryServices.Tests;

/// <summary>The reasons for which a managed password is not read, with answers that Samba and Active Directory give.</summary>
public sealed class DirectoryPasswordSourceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, "00002020: operational_search_post_process failed for attribute 'msDS-Managed'", ManagedPasswordFailure.NotEncrypted)]
    [InlineData(1, "another error", ManagedPasswordFailure.Unavailable)]
    [InlineData(8, "", ManagedPasswordFailure.NotEncrypted)]
    [InlineData(13, "", ManagedPasswordFailure.NotEncrypted)]
    [InlineData(32, "", ManagedPasswordFailure.AccountNotFound)]
    [InlineData(50, "", ManagedPasswordFailure.NotPermitted)]
    [InlineData(51, "", ManagedPasswordFailure.Unavailable)]
    public async Task A_refusal_of_the_directory_has_its_reason(int code, string diagnostic, ManagedPasswordFailure failure)
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request => [LdapAnswers.Done(request.Id, code, diagnostic: diagnostic)];
        await RefusesAsync(directory, failure);
    }

    [Fact]
    public async Task An_entry_has_its_reason()
    {
        await using var directory = new TestDirectory();
        var blob = ManagedPasswordBlob.Write(ManagedPasswordBlob.CreatePassword());
        Answer([]);
        await RefusesAsync(directory, ManagedPasswordFailure.AccountNotFound);
        Answer(("objectClass", LdapAnswers.Texts("user")), ("msDS-ManagedPassword", [blob]));
        await RefusesAsync(directory, ManagedPasswordFailure.AccountNotFound);
        Answer(ObjectClass(), ("userAccountControl", LdapAnswers.Texts("4098")), ("msDS-ManagedPassword", [blob]));
        await RefusesAsync(directory, ManagedPasswordFailure.AccountDisabled);
        Answer(ObjectClass(), ("userAccountControl", LdapAnswers.Texts("4096")));
        await RefusesAsync(directory, ManagedPasswordFailure.NotPermitted);
        Answer(ObjectClass(), ("msDS-ManagedPassword", [blob[..40]]));
        await RefusesAsync(directory, ManagedPasswordFailure.Malformed);
        Answer(ObjectClass(), ("msDS-ManagedPassword", [blob]));
        using var read = await CreateSource(directory).ReadAsync("gmsa$", Stop);
        read.QueryInterval.ShouldBe(ManagedPasswordBlob.DefaultQueryInterval);

        static (string, byte[][]) ObjectClass() => ("objectClass", LdapAnswers.Texts("user", "msDS-GroupManagedServiceAccount"));

        void Answer(params (string, byte[][])[] attributes) => directory.Server.Answer = request => attributes.Length == 0
            ? [LdapAnswers.Done(request.Id)]
            : [LdapAnswers.Entry(request.Id, "CN=gmsa,DC=test,DC=example", attributes), LdapAnswers.Done(request.Id)];
    }

    private static DirectoryPasswordSource CreateSource(TestDirectory directory) => new(directory.Client, "test.example", "reader$");

    private static async Task RefusesAsync(TestDirectory directory, ManagedPasswordFailure failure)
    {
        var error = await Should.ThrowAsync<ManagedPasswordException>(() => CreateSource(directory).ReadAsync("gmsa$", Stop));
        error.Failure.ShouldBe(failure, error.Message);
    }
}
