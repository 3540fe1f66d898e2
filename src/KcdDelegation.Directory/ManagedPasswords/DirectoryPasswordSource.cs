using System.Globalization;
using KcdDelegation.DirectoryServices.Errors;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices;

/// <summary>Reads the password of group managed service accounts from <c>msDS-ManagedPassword</c> (MS-ADTS §2.2.19).
/// Thread-safe.</summary>
/// <remarks>Domain controllers return the value only over encrypted connections, and only to the principals in the account's
/// <c>msDS-GroupMSAMembership</c>. To others they return the entry without the value and without an error.</remarks>
public sealed class DirectoryPasswordSource : IManagedPasswordSource
{
    private const string Password = "msDS-ManagedPassword";
    private const string AccountControl = "userAccountControl";
    private const string ObjectClass = "objectClass";

    /// <summary>ADS_UF_ACCOUNTDISABLE (MS-ADTS §2.2.16).</summary>
    private const int AccountDisabled = 2;

    private readonly DirectoryClient _directory;
    private readonly string _base;
    private readonly string _reader;

    /// <summary>Creates a source.</summary>
    /// <param name="directory">The client of the domain. It is not owned.</param>
    /// <param name="domain">The DNS name of the domain, whose parts are the name of the search's base.</param>
    /// <param name="reader">The name of the reader, for messages.</param>
    public DirectoryPasswordSource(DirectoryClient directory, string domain, string reader)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentException.ThrowIfNullOrWhiteSpace(domain);
        ArgumentException.ThrowIfNullOrWhiteSpace(reader);
        (_directory, _reader) = (directory, reader);
        _base = DomainName.ToDistinguishedName(domain);
    }

    /// <inheritdoc/>
    public async Task<ManagedPassword> ReadAsync(string account, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(account);
        IReadOnlyList<LdapEntry> found;
        try
        {
            found = await _directory.SearchAsync(
                new LdapSearch
                {
                    Base = _base,
                    Filter = LdapFilter.Equal("sAMAccountName", account),
                    Attributes = [Password, AccountControl, ObjectClass],
                    // Without pages: the controller computes the value for each entry, and there is one.
                    PageSize = 0,
                    ReadsSecrets = true,
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryException error)
        {
            throw Explain(error, account);
        }
        try
        {
            return Read(found, account);
        }
        finally
        {
            foreach (var entry in found)
                entry.Dispose();
        }
    }

    private ManagedPassword Read(IReadOnlyList<LdapEntry> found, string account)
    {
        if (found is not [var entry])
        {
            throw new ManagedPasswordException(
                ManagedPasswordFailure.AccountNotFound,
                found.Count == 0
                    ? $"no account below {_base} has the sAMAccountName {account}, or {_reader} may not see it"
                    : $"{found.Count} accounts below {_base} have the sAMAccountName {account}");
        }
        if (!entry.GetTexts(ObjectClass).Contains("msDS-GroupManagedServiceAccount", StringComparer.OrdinalIgnoreCase))
        {
            throw new ManagedPasswordException(
                ManagedPasswordFailure.AccountNotFound, $"{entry.Name} is no group managed service account");
        }
        if (int.TryParse(entry.GetText(AccountControl), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var control)
            && (control & AccountDisabled) != 0)
            throw new ManagedPasswordException(ManagedPasswordFailure.AccountDisabled, $"{entry.Name} is disabled");
        if (entry.GetValues(Password) is not [var blob])
        {
            throw new ManagedPasswordException(
                ManagedPasswordFailure.NotPermitted,
                $"the directory does not return the password of {entry.Name} to {_reader}, which is not among the account's readers");
        }
        try
        {
            return ManagedPassword.Parse(blob.Span);
        }
        catch (FormatException error)
        {
            throw new ManagedPasswordException(ManagedPasswordFailure.Malformed, error.Message, error);
        }
    }

    private static bool IsAboutPassword(DirectoryException error) =>
        error.Message.Contains("msDS-Managed", StringComparison.OrdinalIgnoreCase);

    private static ManagedPasswordException Explain(DirectoryException error, string account)
    {
        var failure = error switch
        {
            { Failure: DirectoryFailure.NoTicket, InnerException: KerberosException { IsTransient: true } } =>
                ManagedPasswordFailure.Unavailable,
            { Failure: DirectoryFailure.NoTicket } => ManagedPasswordFailure.ReaderRefused,
            { ResultCode: LdapResultCode.InvalidCredentials } => ManagedPasswordFailure.ReaderRefused,
            // Samba refuses the whole search of a connection that is not encrypted.
            { ResultCode: LdapResultCode.OperationsError } when IsAboutPassword(error) => ManagedPasswordFailure.NotEncrypted,
            { ResultCode: LdapResultCode.StrongerAuthRequired or LdapResultCode.ConfidentialityRequired } =>
                ManagedPasswordFailure.NotEncrypted,
            { ResultCode: LdapResultCode.InsufficientAccessRights } => ManagedPasswordFailure.NotPermitted,
            { ResultCode: LdapResultCode.NoSuchObject } => ManagedPasswordFailure.AccountNotFound,
            _ => ManagedPasswordFailure.Unavailable,
        };
        return new ManagedPasswordException(failure, $"reading {account} failed: {error.Message}", error);
    }
}
