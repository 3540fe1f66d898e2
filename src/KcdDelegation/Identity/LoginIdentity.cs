namespace KcdDelegation;

/// <summary>Which name of the caller is delegated. The names are those of Microsoft Graph's <c>kerberosSignOnSettings</c>, so that they
/// bind from configuration as they are.</summary>
public enum LoginIdentity
{
    /// <summary>The user principal name in the cloud: claim <c>upn</c>.</summary>
    UserPrincipalName,

    /// <summary>The user principal name in the directory on premises ("alternate UPN"): claim <c>onpremisesuserprincipalname</c>.</summary>
    OnPremisesUserPrincipalName,

    /// <summary>The part of the user principal name before the <c>@</c>, for listed suffixes only.</summary>
    UserPrincipalUsername,

    /// <summary>The part of the on-premises user principal name before the <c>@</c>, for listed suffixes only.</summary>
    OnPremisesUserPrincipalUsername,

    /// <summary>The sAMAccountName on premises: claim <c>onprem_sam_account_name</c> or <c>onpremisessamaccountname</c>.</summary>
    OnPremisesSamAccountName,
}
